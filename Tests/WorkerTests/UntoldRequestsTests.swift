import HTTPServer
import HTTPWire
import Testing

/// Requests that Python's logger has not heard of yet.
@Suite struct UntoldRequestsTests {
    private static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    private static func add(_ head: String, to requests: some ExchangeObserver, later: Bool = false) {
        var record = ExchangeRecord()
        record.status = 400
        record.bodyCount = 7
        record.client = .ipv4(0x7F00_0001, port: 1)
        Array(head.utf8).withUnsafeBytes { head in
            guard later else { return requests.exchangeEnded(record, head: head, response: none) }
            var note: [UInt8] = []
            requests.remember(record, head: head, response: none, in: &note)
            note.withUnsafeBytes { requests.exchangeLeft(record, note: $0) }
        }
    }

    private static func text(_ request: RefusedRequest, _ range: Range<Int>) -> String {
        String(decoding: request.head[range], as: UTF8.self)
    }

    @Test(arguments: [false, true])
    func theirPiecesAreKept(later: Bool) throws {
        let requests = UntoldRequests()
        #expect(requests.isEmpty)
        Self.add("\r\nGET /a HTTP/9.9\r\nX: 1\r\n\r\n", to: requests, later: later)
        #expect(!requests.isEmpty)
        let (taken, lost, _) = requests.take()
        #expect(requests.isEmpty && lost == 0 && taken.count == 1)
        let request = try #require(taken.first)
        #expect(Self.text(request, request.method) == "GET" && Self.text(request, request.target) == "/a")
        #expect(Self.text(request, request.version) == "HTTP/9.9")
        #expect(request.address == "127.0.0.1" && request.status == 400 && request.bodyCount == 7)
    }

    @Test(arguments: ["", "G", "GET", "GET ", "GET /", "GET / ", "\r\n", "\n\n"])
    func whatDidNotComeIsEmpty(head: String) throws {
        let requests = UntoldRequests()
        Self.add(head, to: requests)
        let request = try #require(requests.take().refused.first)
        #expect(request.version.isEmpty)
        #expect(request.version.upperBound <= request.head.count && request.target.upperBound <= request.head.count)
    }

    @Test func thereIsAnEndToThem() {
        let requests = UntoldRequests()
        for _ in 0..<300 { Self.add(String(repeating: "x", count: 100_000), to: requests) }
        let (taken, lost, _) = requests.take()
        #expect(taken.count == 256 && lost == 44)
        #expect(taken.allSatisfy { $0.head.count == 8192 })
        #expect(requests.take().lost == 0)
    }

    /// What a thread that serves says of an exchange: at once, or, where the response has not left yet, later.
    private static func serve(_ requests: UntoldRequests, ticket: Int, later: Bool) {
        let marker = UntoldRequests.Marker(requests) { ticket }
        var record = ExchangeRecord()
        record.began = 1000
        record.handedOver = 3000
        record.bodyCount = 9
        Array("GET / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { head in
            guard later else { return marker.exchangeEnded(record, head: head, response: none) }
            var note: [UInt8] = []
            marker.remember(record, head: head, response: none, in: &note)
            note.withUnsafeBytes { requests.exchangeLeft(record, note: $0) }
        }
    }

    @Test(arguments: [false, true])
    func servedOnesThatPythonHasHeardOfStayAway(later: Bool) {
        let requests = UntoldRequests()
        Self.serve(requests, ticket: 0, later: later)
        #expect(requests.isEmpty)
    }

    @Test(arguments: [false, true])
    func thoseThatLeaveLaterAreTold(later: Bool) {
        let requests = UntoldRequests()
        for ticket in 1...300 { Self.serve(requests, ticket: ticket, later: later) }
        #expect(!requests.isEmpty)
        let (refused, lost, late) = requests.take()
        #expect(refused.isEmpty && lost == 0 && late.map(\.ticket) == Array(1...300))
        #expect(late.allSatisfy { $0.bodyCount == 9 && $0.duration == 2000 })
        #expect(requests.isEmpty)
    }
}
