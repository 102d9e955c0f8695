/// Field names that the server acts on, or that most requests carry.
///
/// The parser recognizes them in a handful of instructions. A recognized name needs no check of its bytes, and whoever
/// translates names, as the WSGI gateway does, can look the result up by `rawValue` and hash nothing.
public enum FieldKind: UInt8, CaseIterable, Sendable {
    /// Any other name.
    case other
    case host
    case connection
    case contentLength
    case contentType
    case transferEncoding
    case expect
    case upgrade
    case cookie
    case te
    case trailer
    case scriptName
    case accept
    case acceptEncoding
    case acceptLanguage
    case acceptCharset
    case userAgent
    case referer
    case origin
    case authorization
    case proxyAuthorization
    case cacheControl
    case pragma
    case ifNoneMatch
    case ifModifiedSince
    case ifMatch
    case ifUnmodifiedSince
    case ifRange
    case range
    case contentEncoding
    case forwarded
    case via
    case xForwardedFor
    case xForwardedProto
    case xForwardedHost
    case xForwardedPort
    case xRealIP
    case xRequestID
    case xRequestedWith
    case xCsrftoken
    case upgradeInsecureRequests
    case secFetchSite
    case secFetchMode
    case secFetchUser
    case secFetchDest
    case secChUA
    case secChUAMobile
    case secChUAPlatform
    case secWebsocketKey
    case secWebsocketVersion
    case secWebsocketExtensions
    case secWebsocketProtocol
    case http2Settings
    case dnt
    case priority
    case keepAlive
    case traceparent
}

extension FieldKind {
    /// The name in lower case; empty for ``other``.
    public var name: StaticString {
        switch self {
        case .other: ""
        case .host: "host"
        case .connection: "connection"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .transferEncoding: "transfer-encoding"
        case .expect: "expect"
        case .upgrade: "upgrade"
        case .cookie: "cookie"
        case .te: "te"
        case .trailer: "trailer"
        case .scriptName: "script_name"
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .acceptLanguage: "accept-language"
        case .acceptCharset: "accept-charset"
        case .userAgent: "user-agent"
        case .referer: "referer"
        case .origin: "origin"
        case .authorization: "authorization"
        case .proxyAuthorization: "proxy-authorization"
        case .cacheControl: "cache-control"
        case .pragma: "pragma"
        case .ifNoneMatch: "if-none-match"
        case .ifModifiedSince: "if-modified-since"
        case .ifMatch: "if-match"
        case .ifUnmodifiedSince: "if-unmodified-since"
        case .ifRange: "if-range"
        case .range: "range"
        case .contentEncoding: "content-encoding"
        case .forwarded: "forwarded"
        case .via: "via"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedProto: "x-forwarded-proto"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedPort: "x-forwarded-port"
        case .xRealIP: "x-real-ip"
        case .xRequestID: "x-request-id"
        case .xRequestedWith: "x-requested-with"
        case .xCsrftoken: "x-csrftoken"
        case .upgradeInsecureRequests: "upgrade-insecure-requests"
        case .secFetchSite: "sec-fetch-site"
        case .secFetchMode: "sec-fetch-mode"
        case .secFetchUser: "sec-fetch-user"
        case .secFetchDest: "sec-fetch-dest"
        case .secChUA: "sec-ch-ua"
        case .secChUAMobile: "sec-ch-ua-mobile"
        case .secChUAPlatform: "sec-ch-ua-platform"
        case .secWebsocketKey: "sec-websocket-key"
        case .secWebsocketVersion: "sec-websocket-version"
        case .secWebsocketExtensions: "sec-websocket-extensions"
        case .secWebsocketProtocol: "sec-websocket-protocol"
        case .http2Settings: "http2-settings"
        case .dnt: "dnt"
        case .priority: "priority"
        case .keepAlive: "keep-alive"
        case .traceparent: "traceparent"
        }
    }
}
