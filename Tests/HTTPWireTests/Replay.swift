import HTTPWire
import ProxyWire

/// What a connection came to.
struct Exchange: Equatable {
    struct Request: Equatable {
        var head: ParsedHead
        var body: [UInt8] = []
        var isComplete = false
    }

    var requests: [Request] = []
    var fault: WireFault?
    /// What is wrong with the PROXY header in front of all requests.
    var proxyFault: ProxyFault?
}

/// Reads a connection as a server does: bytes arrive in pieces, heads and bodies are taken from what is there.
struct Replay: ~Copyable {
    private var parser: RequestParser
    private var decoder: ChunkedDecoder?
    private let policy: RequestPolicy
    private let isTrusted: Bool
    /// The connection may still turn out to start with a PROXY header.
    private var proxyMode: ProxyMode?
    private var pending: [UInt8] = []
    /// Bytes of a body of known length that are to come.
    private var remaining = 0
    private var isReadingBody = false
    private var isClosed = false
    private(set) var exchange = Exchange()

    init(policy: RequestPolicy, isTrusted: Bool, proxyMode: ProxyMode? = nil) {
        parser = RequestParser(policy: policy)
        self.policy = policy
        self.isTrusted = isTrusted
        self.proxyMode = proxyMode
    }

    mutating func receive(_ piece: some Collection<UInt8>) {
        pending += piece
        guard !isClosed, passesProxyHeader() else { return }
        do throws(WireError) {
            while !isClosed, try advance() {}
        } catch {
            exchange.fault = error.fault
            isClosed = true
        }
    }

    /// False if more bytes are needed to know about the PROXY header, or if it is refused.
    private mutating func passesProxyHeader() -> Bool {
        guard let mode = proxyMode else { return true }
        do throws(ProxyError) {
            switch try ProxyParser.parse(pending.span.bytes, mode: mode, mayAnnounce: isTrusted) {
            case .more: return false
            case .absent: break
            case .header(let header): pending.removeFirst(header.byteCount)
            }
        } catch {
            exchange.proxyFault = error.fault
            isClosed = true
            return false
        }
        proxyMode = nil
        return true
    }

    /// Takes one step; false if more bytes are needed for it.
    private mutating func advance() throws(WireError) -> Bool {
        guard isReadingBody else { return try readHead() }
        if decoder != nil { return try readChunked() }
        let count = min(remaining, pending.count)
        exchange.requests[exchange.requests.count - 1].body += pending[..<count]
        pending.removeFirst(count)
        remaining -= count
        if remaining == 0 { finishBody() }
        return remaining == 0
    }

    private mutating func readHead() throws(WireError) -> Bool {
        switch parser.outcome(pending, trusted: isTrusted) {
        case .more: return false
        case .fault(let fault): throw WireError(fault)
        case .head(let head):
            pending.removeFirst(head.byteCount)
            exchange.requests.append(.init(head: head))
            isReadingBody = true
            switch head.framing {
            case .none: finishBody()
            case .length(let length): remaining = length
            case .chunked: decoder = ChunkedDecoder(policy: policy)
            }
            return true
        }
    }

    private mutating func readChunked() throws(WireError) -> Bool {
        let arrived = pending
        switch try decoder!.next(arrived.span.bytes, from: 0) {
        case .more:
            pending = []
            return false
        case .data(let range):
            exchange.requests[exchange.requests.count - 1].body += pending[range.offsets]
            pending.removeFirst(range.offsets.upperBound)
        case .end(let consumed):
            pending.removeFirst(consumed)
            decoder = nil
            finishBody()
        }
        return true
    }

    private mutating func finishBody() {
        isReadingBody = false
        exchange.requests[exchange.requests.count - 1].isComplete = true
        isClosed = exchange.requests.last?.head.isPersistent != true
    }
}

/// Replays bytes cut at the given positions.
func replay(_ input: [UInt8], of testCase: CorpusCase, cuts: some Sequence<Int>) -> Exchange {
    var replay = Replay(policy: testCase.policy, isTrusted: testCase.isTrusted, proxyMode: testCase.proxyMode)
    var start = 0
    for cut in cuts where cut > start && cut < input.count {
        replay.receive(input[start..<cut])
        start = cut
    }
    replay.receive(input[start...])
    return replay.exchange
}
