/// What to do with a field name that holds an underscore. CGI names write `-` as `_`, so `X_Real_IP` would land on
/// `X-Real-IP`, and a client could forge what a proxy sets.
public enum FieldNameMap: String, CaseIterable, Sendable {
    /// As though the field line were not there. It still counts towards the limits.
    case drop
    /// 400.
    case refuse
    /// Keep it.
    case dangerous
}

/// Which names with an underscore a trusted peer may send.
public enum ForwarderHeaders: Equatable, Sendable {
    case all
    /// Names in any case, for example `SCRIPT_NAME`.
    case named([String])
}

/// A header by which a trusted proxy says that the client spoke TLS to it.
public struct SecureSchemeHeader: Equatable, Sendable {
    /// Field name in any case.
    public var name: String
    /// The value, compared byte for byte, that means `https`. Any other value means `http`.
    public var secureValue: String

    public init(name: String, secureValue: String) {
        self.name = name
        self.secureValue = secureValue
    }
}

/// Limits and switches of the request parser. What they are by default stands in the
/// table of settings, and nowhere else.
public struct RequestPolicy: Equatable, Sendable {
    /// Bytes of the request line without its CRLF. Negative counts as 8190; 0 lifts the limit, up to
    /// 1 MiB.
    public var limitRequestLine: Int
    /// Number of field lines. Outside 1...32768 it counts as 32768.
    public var limitRequestFields: Int
    /// Bytes of one field line with its CRLF, continuation lines included. 0 or less counts as 8190, more than 1 MiB as
    /// 1 MiB.
    public var limitRequestFieldSize: Int
    /// Bytes of the message body; 0 lifts the limit.
    public var limitRequestBody: Int

    /// Accept HTTP/1.1 without Host, or with an empty one.
    public var permitMissingHost: Bool
    /// Accept folded field lines. RFC 9112 §5.2.
    public var permitObsoleteFolding: Bool
    /// Accept white space between a field name and the colon. RFC 9112 §5.1 demands 400.
    public var stripHeaderSpaces: Bool
    /// Accept any token as the method.
    public var permitUnconventionalMethod: Bool
    /// Accept any `HTTP/d.d`. What is at least 1.1 is served as 1.1, the rest as 1.0.
    public var permitUnconventionalVersion: Bool
    /// Read the method as upper case. Lower case must be permitted as well by ``permitUnconventionalMethod``.
    public var casefoldMethod: Bool

    public var headerMap: FieldNameMap
    /// Exceptions from ``headerMap`` for trusted peers.
    public var forwarderHeaders: ForwarderHeaders
    /// Only believed when a trusted peer sends them.
    public var secureSchemeHeaders: [SecureSchemeHeader]

    public init(
        limitRequestLine: Int, limitRequestFields: Int, limitRequestFieldSize: Int, limitRequestBody: Int,
        permitMissingHost: Bool, permitObsoleteFolding: Bool, stripHeaderSpaces: Bool, permitUnconventionalMethod: Bool,
        permitUnconventionalVersion: Bool, casefoldMethod: Bool, headerMap: FieldNameMap,
        forwarderHeaders: ForwarderHeaders, secureSchemeHeaders: [SecureSchemeHeader]
    ) {
        self.limitRequestLine = limitRequestLine
        self.limitRequestFields = limitRequestFields
        self.limitRequestFieldSize = limitRequestFieldSize
        self.limitRequestBody = limitRequestBody
        self.permitMissingHost = permitMissingHost
        self.permitObsoleteFolding = permitObsoleteFolding
        self.stripHeaderSpaces = stripHeaderSpaces
        self.permitUnconventionalMethod = permitUnconventionalMethod
        self.permitUnconventionalVersion = permitUnconventionalVersion
        self.casefoldMethod = casefoldMethod
        self.headerMap = headerMap
        self.forwarderHeaders = forwarderHeaders
        self.secureSchemeHeaders = secureSchemeHeaders
    }
}

extension RequestPolicy {
    /// What ``limitRequestLine`` comes to, in bytes.
    public var effectiveRequestLine: Int {
        switch limitRequestLine {
        case 0: 1 << 20
        case 1...(1 << 20): limitRequestLine
        case (1 << 20)...: 1 << 20
        default: 8190
        }
    }

    /// What ``limitRequestFields`` comes to.
    public var effectiveRequestFields: Int {
        (1...32768).contains(limitRequestFields) ? limitRequestFields : 32768
    }

    /// What ``limitRequestFieldSize`` comes to, in bytes.
    public var effectiveRequestFieldSize: Int {
        limitRequestFieldSize > 0 ? min(limitRequestFieldSize, 1 << 20) : 8190
    }

    /// The most bytes a head may have: no caller needs to buffer more than this before an answer is certain.
    ///
    /// The other limits multiply to 800 KiB with the defaults. Whoever raises them gets at most 1 MiB of fields.
    public var headSizeLimit: Int {
        let section = min(effectiveRequestFields * effectiveRequestFieldSize, 1 << 20)
        return effectiveRequestLine + section + 6  // the CRLF before and after the request line, and the empty line
    }
}
