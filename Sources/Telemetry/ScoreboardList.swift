internal import Synchronization

/// What a worker has under way that no runner has: behind the slots of its cell. Written by whoever has the baton.
///
/// The rows are `SlotWord`s. Those of requests that wait and of responses that are being sent are written anew all at
/// once, between two changes of `sequence`. Those of connections that were posted are a ring: the newest takes the
/// oldest's place, and each has a sequence of its own.
enum ListWord {
    /// Odd while the list is written.
    static var sequence: Int { 0 }
    /// Requests that wait for a runner, with and without a row.
    static var waiting: Int { 1 }
    /// Responses that their clients have not taken yet, with and without a row.
    static var responses: Int { 2 }
    /// Rows in use.
    static var rowCount: Int { 3 }
    /// Connections that were posted, ever: the next one's row is this number modulo `postedLimit`.
    static var posted: Int { 8 }
    static var rows: Int { 16 }
    static var rowLimit: Int { 2 * ScoreboardLayout.listLimit }
    static var postedRows: Int { rows + rowLimit * SlotWord.stride }
    static var postedLimit: Int { 128 }
    static var count: Int { postedRows + postedLimit * SlotWord.stride }
}

extension ScoreboardLayout {
    /// Rows of a worker for requests that wait, and as many for responses: the oldest. The others are only counted.
    public static var listLimit: Int { 64 }
}

/// What is told of an exchange that no runner has.
public struct ListedExchange {
    public var phase: ExchangePhase
    public var method: MethodClass
    /// Its first `ScoreboardLayout.pathLimit` bytes are kept.
    public var path: UnsafeRawBufferPointer
    public var client: ScoreboardClient
    /// Of the request on its connection; the first is 1.
    public var number: Int
    /// When the head was complete, and when the phase began: the monotonic clock, nanoseconds.
    public var began: UInt64
    public var phaseBegan: UInt64

    public init(
        phase: ExchangePhase, method: MethodClass, path: UnsafeRawBufferPointer, client: ScoreboardClient, number: Int,
        began: UInt64, phaseBegan: UInt64
    ) {
        self.phase = phase
        self.method = method
        self.path = path
        self.client = client
        self.number = number
        self.began = began
        self.phaseBegan = phaseBegan
    }
}

extension ScoreboardCell {
    /// Tells anew what waits here and what is being sent.
    ///
    /// - Parameters:
    ///   - waiting: how many requests wait for a runner, and `responses` how many are being sent, those included that
    ///     get no row.
    ///   - fill: adds the rows, the oldest of each phase first. What finds no room is left out.
    public func list(waiting: Int, responses: Int, _ fill: (inout ExchangeRows) -> Void) {
        let list = words.from(CellWord.slots + slotCount * SlotWord.stride)
        let sequence = list.load(ListWord.sequence) | 1
        list.store(ListWord.sequence, sequence)
        atomicMemoryFence(ordering: .releasing)
        var rows = ExchangeRows(words: list.from(ListWord.rows))
        fill(&rows)
        list.store(ListWord.waiting, UInt64(max(0, waiting)))
        list.store(ListWord.responses, UInt64(max(0, responses)))
        list.store(ListWord.rowCount, UInt64(rows.count))
        list.storeReleasing(ListWord.sequence, sequence &+ 1)
    }

    /// A connection was posted, and with it perhaps a request that waits.
    ///
    /// - Parameters:
    ///   - exchange: its phase is `none` for a connection without a complete request.
    ///   - messageSize: bytes of the relay that it takes until somebody adopts it.
    public func notePosted(_ exchange: ListedExchange, messageSize: Int) {
        let list = words.from(CellWord.slots + slotCount * SlotWord.stride)
        let number = list.load(ListWord.posted)
        let place = Int(number % UInt64(ListWord.postedLimit))
        let row = list.from(ListWord.postedRows + place * SlotWord.stride)
        let sequence = row.load(SlotWord.sequence) | 1
        row.store(SlotWord.sequence, sequence)
        atomicMemoryFence(ordering: .releasing)
        Self.write(row, exchange)
        row.store(SlotWord.port, row.load(SlotWord.port) | UInt64(UInt32(clamping: messageSize)) << 32)
        row.storeReleasing(SlotWord.sequence, sequence &+ 1)
        list.storeReleasing(ListWord.posted, number &+ 1)
    }

    fileprivate static func write(_ row: ScoreboardWords, _ exchange: ListedExchange) {
        row.store(SlotWord.phaseBegan, exchange.phaseBegan)
        write(
            row, phase: exchange.phase, method: exchange.method, path: exchange.path, client: exchange.client,
            began: exchange.began, thread: UInt64(UInt32(clamping: exchange.number)) << 32)
    }
}

/// The rows of a list that is being written.
public struct ExchangeRows {
    fileprivate let words: ScoreboardWords
    fileprivate(set) var count = 0

    fileprivate init(words: ScoreboardWords) { self.words = words }

    public mutating func add(_ exchange: ListedExchange) {
        guard count < ListWord.rowLimit else { return }
        ScoreboardCell.write(words.from(count * SlotWord.stride), exchange)
        count += 1
    }
}
