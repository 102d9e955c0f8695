public import HTTPWire

/// Fields of a request that most logs ask for, as ranges over its head: the parser knew them when it saw them, so that
/// nobody has to look for them again.
///
/// Of several of a name it is the last one. ``ByteRange/empty`` is none: no value begins where the head does.
public struct NotedFields: Equatable, Sendable {
    public var referer = ByteRange.empty
    public var userAgent = ByteRange.empty
    public var authorization = ByteRange.empty

    public init() {}

    public init(_ head: borrowing RequestHead) {
        for place in 0..<head.fields.count {
            let field = head.fields[place]
            switch field.kind {
            case .referer: referer = field.value
            case .userAgent: userAgent = field.value
            case .authorization: authorization = field.value
            default: break
            }
        }
    }
}
