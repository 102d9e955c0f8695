import HTTPServer
import HTTPWire

/// One byte per character, so that any byte can be compared and printed.
func latin1(_ bytes: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

/// The bytes of a string whose characters are all below U+0100.
func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8($0.value) }
}

/// 1994-11-06 08:49:37 UTC, the example of RFC 9110 §5.6.7.
let date = HTTPDate(unixSeconds: 784_111_777)

/// What a head looks like up to its `Connection`.
func head(_ status: String, version: String = "1.1") -> String {
    "HTTP/\(version) \(status)\r\nServer: monoceros\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: "
}

/// A step's runs, as values that outlive the writer's next call.
struct Sent: Equatable {
    var first = ""
    var body = ""
    var last = ""
    var isWhole = false

    /// All of it.
    var text: String { first + body + last }

    static let nothing = Sent()
}

extension Sent {
    init(_ runs: ResponseRuns) {
        first = latin1(runs.first)
        body = latin1(runs.body)
        last = latin1(runs.last)
        isWhole = runs.isWholeResponse
    }
}

extension ResponseWriter {
    /// A writer whose request has come.
    static func begun(
        isHead: Bool = false, version: HTTPVersion = .http11, mayPersist: Bool = true
    ) -> ResponseWriter {
        var writer = ResponseWriter()
        writer.begin(RequestTraits(isHead: isHead, version: version, mayPersist: mayPersist))
        return writer
    }

    /// All of `start_response`.
    mutating func start(_ status: String = "200 OK", _ fields: [(String, String)] = []) throws(ResponseFault) {
        try beginStart(status: bytes(status).span.bytes)
        for (name, value) in fields { try append(name: bytes(name).span.bytes, value: bytes(value).span.bytes) }
        try finishStart()
    }

    mutating func commit(total: Int? = nil, mayPersist: Bool = true) {
        commit(total: total, mayPersist: mayPersist, date: date)
    }

    mutating func add(_ block: String) -> Sent {
        bytes(block).withUnsafeBytes { Sent(add($0)) }
    }

    mutating func join(_ block: String) {
        bytes(block).withUnsafeBytes { join($0) }
    }

    mutating func finish() -> Sent { Sent(complete()) }

    mutating func refuse(_ refusal: Refusal) -> Sent { Sent(refuse(refusal, date: date)) }
}
