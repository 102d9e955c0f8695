import Testing

@testable import Telemetry

/// A scoreboard in memory of this process's own.
final class Board: @unchecked Sendable {
    let layout: ScoreboardLayout
    let memory: UnsafeMutableRawPointer
    let arbiter: ScoreboardArbiter

    init(cells: Int = 3, slots: Int = 2) {
        layout = ScoreboardLayout(cells: cells, slots: slots)
        memory = .allocate(byteCount: layout.byteCount, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: layout.byteCount)
        arbiter = ScoreboardArbiter(memory, layout, process: 100, started: 1_700_000_000)
    }

    deinit { memory.deallocate() }

    func reader() throws -> ScoreboardReader { try ScoreboardReader(memory, byteCount: layout.byteCount) }

    /// A worker that serves.
    func worker(_ process: Int32, generation: UInt64 = 1, waiting: Int = 0) throws -> ScoreboardCell {
        let cell = arbiter.cell(try #require(arbiter.assign(generation: generation, now: 5)))
        cell.open(process: process, generation: generation, started: 1_700_000_001, now: 6)
        cell.setPresence(
            ScoreboardPresence(lifetime: .serving, accepting: true, runners: 2, busy: 2 - waiting, waiting: waiting))
        return cell
    }
}

extension ScoreboardCell {
    func begin(_ slot: Int, _ path: String, phase: ExchangePhase = .application) {
        var path = path
        path.withUTF8 {
            beginExchange(
                slot, phase: phase, method: .post, path: UnsafeRawBufferPointer($0),
                client: .ipv4(0x7F00_0001, port: 5000), thread: 77, number: 3, began: 40, now: 50)
        }
    }
}

@Suite struct ScoreboardTests {
    @Test func everythingStandsOnCacheLines() {
        let layout = ScoreboardLayout(cells: 3, slots: 5)
        #expect(layout.cell(0) % 8 == 0 && layout.cellStride % 8 == 0)
        #expect(
            CellWord.counters % 8 == 0 && CellWord.slowest % 8 == 0 && CellWord.slots % 8 == 0
                && SlotWord.stride % 8 == 0)
        #expect(layout.byteCount == 8 * (layout.cell(2) + layout.cellStride))
        #expect(SlotWord.path + SlotWord.pathWords == SlotWord.stride)
        #expect(CellWord.connections + ConnectionClass.allCases.count <= CellWord.slowThreshold)
        #expect(CounterWord.timeouts + TimeoutClass.allCases.count <= CounterWord.requests)
        #expect(CounterWord.methodCount == MethodClass.allCases.count)
        #expect(CounterWord.statusCount == StatusClass.allCases.count)
        #expect(HeaderWord.workerEnds + WorkerEnd.allCases.count <= HeaderWord.count)
    }

    @Test func anEmptyScoreboardHasNoWorkers() throws {
        let board = Board()
        let snapshot = try board.reader().snapshot()
        #expect(snapshot.workers.isEmpty)
        #expect(snapshot.arbiterProcess == 100)
        #expect(snapshot.started == 1_700_000_000)
        #expect(snapshot.total == CounterSnapshot())
    }

    @Test func showsWhatAWorkerWrote() throws {
        let board = Board()
        board.arbiter.setGeneration(4, workersWanted: 2)
        let cell = try board.worker(200, generation: 4, waiting: 1)
        cell.heartbeat(99)
        cell.moveConnection(from: nil, to: .idle)
        cell.moveConnection(from: nil, to: .idle)
        cell.moveConnection(from: .idle, to: .running)
        cell.setConnections(.lingering, 7)
        cell.countAccepted()
        cell.countRelayedIn()
        cell.countRelayedOut()
        cell.countRelayFull()
        cell.countBytes(in: 100, out: 2000)
        cell.countTimeout(.write)
        cell.countRefusal(3)
        cell.countRefusal(1_000_000)
        cell.countDroppedLogLines(5)
        cell.changeSpool(by: 4096)
        cell.changeSpool(by: -96)
        cell.changeBuffers(by: 64)
        cell.countRequest(.post, status: 404, waited: 90_000, application: 3_000_000, total: 70_000_000_000)
        cell.begin(1, "/orders/12")

        let snapshot = try board.reader().snapshot()
        #expect(snapshot.generation == 4 && snapshot.workersWanted == 2 && snapshot.workerStarts == 1)
        let worker = try #require(snapshot.workers.first)
        #expect(snapshot.workers.count == 1)
        #expect(worker.process == 200 && worker.generation == 4 && worker.heartbeat == 99 && worker.booted == 6)
        #expect(worker.presence.runners == 2 && worker.presence.busy == 1 && worker.presence.waiting == 1)
        #expect(worker.presence.lifetime == .serving && worker.presence.accepting)
        #expect(worker.connections[Int(ConnectionClass.idle.rawValue)] == 1)
        #expect(worker.connections[Int(ConnectionClass.running.rawValue)] == 1)
        #expect(worker.connections[Int(ConnectionClass.lingering.rawValue)] == 7)
        #expect(worker.spoolBytes == 4000 && worker.bufferBytes == 64)

        let counters = worker.counters
        #expect(counters.accepted == 1 && counters.relayedIn == 1 && counters.relayedOut == 1)
        #expect(counters.relayFull == 1 && counters.bytesIn == 100 && counters.bytesOut == 2000)
        #expect(counters.timeouts(.write) == 1 && counters.timeouts(.head) == 0)
        #expect(counters.refusals(3) == 1 && counters.refusals(ScoreboardLayout.refusalLimit - 1) == 1)
        #expect(counters.refusals(-1) == 0 && counters.refusals(1_000_000) == 0)
        #expect(counters.droppedLogLines == 5)
        #expect(counters.requests(.post, .clientError) == 1 && counters.requests == 1)
        #expect(counters.waitingTime.buckets[0] == 1 && counters.waitingTime.sum == 90_000)
        #expect(counters.applicationTime.buckets[5] == 1 && counters.applicationTime.count == 1)
        #expect(counters.totalTime.buckets.last == 1 && counters.totalTime.sum == 70_000_000_000)
        #expect(snapshot.total == counters)

        let exchange = try #require(worker.exchanges.first)
        #expect(worker.exchanges.count == 1 && worker.unreadableSlots == 0)
        #expect(exchange.slot == 1 && exchange.phase == .application && exchange.method == .post)
        #expect(exchange.path == Array("/orders/12".utf8) && exchange.pathByteCount == 10)
        #expect(exchange.client == .ipv4(0x7F00_0001, port: 5000))
        #expect(exchange.thread == 77 && exchange.number == 3 && exchange.began == 40 && exchange.phaseBegan == 50)
    }

    @Test func anExchangeChangesItsPhaseAndEnds() throws {
        let board = Board()
        let cell = try board.worker(200)
        cell.begin(0, "/", phase: .waiting)
        cell.setPhase(0, .response, now: 60)
        let exchange = try #require(try board.reader().snapshot().workers[0].exchanges.first)
        #expect(exchange.phase == .response && exchange.phaseBegan == 60 && exchange.path == [0x2F])
        cell.endExchange(0)
        let exchanges = try board.reader().snapshot().workers[0].exchanges
        #expect(exchanges.isEmpty)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 127, 128, 129, 5000])
    func keepsTheBeginningOfAPath(_ length: Int) throws {
        let board = Board()
        let cell = try board.worker(200)
        let path = String(repeating: "/abcdefghi", count: length / 10 + 1).prefix(length)
        // A longer one before it, of which nothing may be left.
        cell.begin(0, String(repeating: "x", count: 128))
        cell.begin(0, String(path))
        let exchange = try #require(try board.reader().snapshot().workers[0].exchanges.first)
        #expect(exchange.path == Array(path.utf8.prefix(ScoreboardLayout.pathLimit)))
        #expect(exchange.pathByteCount == length)
    }

    @Test func anExchangeWaitsForItsClient() throws {
        let board = Board()
        let cell = try board.worker(200)
        func waits() throws -> [UInt64?] {
            try board.reader().snapshot().workers[0].exchanges.map(\.clientWaitBegan)
        }
        // Nobody has the slot: there is nothing to tell.
        cell.noteClientWait(1, began: 40)
        #expect(try waits() == [])
        // The wait of the slot's former exchange, which this one began behind.
        cell.begin(1, "/a")
        #expect(try waits() == [nil])
        cell.noteClientWait(1, began: 60)
        #expect(try waits() == [60])
        #expect(try board.reader().snapshot().clientWaitCount == 1)
        cell.noteClientWait(1, began: 0)
        #expect(try waits() == [nil])
        cell.noteClientWait(1, began: 70)
        cell.noteClientWait(2, began: 70)
        cell.noteClientWait(-1, began: 70)
        #expect(try waits() == [70])
        // The list in front of it and the cell behind it are what they were.
        let snapshot = try board.reader().snapshot()
        #expect(snapshot.workers[0].unreadableSlots == 0 && snapshot.relayed.isEmpty)
        #expect(board.arbiter.presence(1).lifetime == .free)
        board.arbiter.retire(cell.index, .killed)
        _ = try board.worker(201)
        cell.begin(1, "/b")
        #expect(try waits() == [nil])
    }

    /// A worker that died with its master is told of as serving for ever; none is wanted is what counts then.
    @Test func aWorkerTellsThatTheMasterIsGone() throws {
        let board = Board()
        board.arbiter.setGeneration(1, workersWanted: 2)
        _ = try board.worker(200)
        let orphan = try board.worker(201)
        let reader = try board.reader()
        #expect(reader.workersWanted == 2 && reader.hasOthersServing(besides: orphan.index))
        orphan.noteMasterIsGone()
        #expect(reader.workersWanted == 0 && reader.hasOthersServing(besides: orphan.index))
        #expect(try board.reader().snapshot().generation == 1)
    }

    @Test func slotsThatAreNoneAreIgnored() throws {
        let board = Board(slots: 1)
        let cell = try board.worker(200)
        for slot in [-1, 1, 1000] {
            cell.begin(slot, "/")
            cell.setPhase(slot, .response, now: 1)
            cell.endExchange(slot)
        }
        let worker = try #require(try board.reader().snapshot().workers.first)
        #expect(worker.exchanges.isEmpty)
    }

    @Test func aWorkerThatDiedWhileItWroteHoldsNobodyUp() throws {
        let board = Board()
        let cell = try board.worker(200)
        cell.begin(0, "/whole")
        cell.begin(1, "/torn")
        let slot = cell.words.from(CellWord.slots + SlotWord.stride)
        slot.store(SlotWord.sequence, slot.load(SlotWord.sequence) | 1)
        let worker = try #require(try board.reader().snapshot().workers.first)
        #expect(worker.unreadableSlots == 1)
        #expect(worker.exchanges.map(\.path) == [Array("/whole".utf8)])

        // The next one finds the slot as good as new.
        board.arbiter.retire(cell.index, .killed)
        let next = try board.worker(201, generation: 2)
        #expect(next.index == cell.index)
        next.begin(1, "/next")
        let successor = try #require(try board.reader().snapshot().workers.first)
        #expect(successor.unreadableSlots == 0)
        #expect(successor.exchanges.map(\.path) == [Array("/next".utf8)])
    }

    @Test func countersOutliveTheirWorker() throws {
        let board = Board(cells: 1)
        let first = try board.worker(200)
        first.countAccepted()
        first.countRequest(.get, status: 200, waited: nil, application: 1000, total: 2000)
        first.moveConnection(from: nil, to: .idle)
        first.changeSpool(by: 10)
        #expect(board.arbiter.assign(generation: 2, now: 7) == nil)
        let before = try board.reader().snapshot().total
        board.arbiter.retire(first.index, .timedOut)
        // Whoever is not there cannot end.
        board.arbiter.retire(first.index, .killed)
        #expect(try board.reader().snapshot().total == before)
        #expect(try board.reader().snapshot().workers.isEmpty)

        let second = try board.worker(201, generation: 2)
        second.countRequest(.get, status: 200, waited: nil, application: 1000, total: 2000)
        let snapshot = try board.reader().snapshot()
        #expect(snapshot.total.requests(.get, .success) == 2 && snapshot.total.accepted == 1)
        #expect(snapshot.total.totalTime.sum == 4000)
        #expect(snapshot.workers[0].counters.requests == 1)
        #expect(snapshot.workers[0].connections.allSatisfy { $0 == 0 } && snapshot.workers[0].spoolBytes == 0)
        #expect(snapshot.workerStarts == 2)
        #expect(snapshot.workerEnds[Int(WorkerEnd.timedOut.rawValue)] == 1)
        #expect(snapshot.workerEnds.reduce(0, +) == 1)
    }

    @Test func anArbiterThatDiedWhileItFoldedHoldsNobodyUp() throws {
        let board = Board()
        _ = try board.worker(200)
        board.arbiter.words.store(HeaderWord.foldSequence, 1)
        #expect(try board.reader().snapshot().workers.count == 1)
    }

    @Test func countsRunnersThatWaitElsewhere() throws {
        let board = Board(cells: 4)
        let own = try board.worker(200, waiting: 1)
        let reader = try board.reader()
        #expect(reader.waitingRunners(besides: own.index) == 0)
        #expect(!reader.hasOthersServing(besides: own.index))
        let other = try board.worker(201, waiting: 2)
        #expect(reader.waitingRunners(besides: own.index) == 2)
        #expect(reader.hasOthersServing(besides: own.index))
        #expect(reader.waitingRunners(besides: other.index) == 1)
        other.setPresence(ScoreboardPresence(lifetime: .leaving, runners: 2, waiting: 2))
        #expect(reader.waitingRunners(besides: own.index) == 0)
        #expect(!reader.hasOthersServing(besides: own.index))
        board.arbiter.retire(other.index, .asked)
        #expect(reader.waitingRunners(besides: own.index) == 0)
    }

    @Test func theArbiterSeesHeartbeats() throws {
        let board = Board()
        let cell = try board.worker(200)
        #expect(board.arbiter.lastHeartbeat(cell.index) == 6)
        cell.heartbeat(1234)
        #expect(board.arbiter.lastHeartbeat(cell.index) == 1234)
        #expect(try board.reader().heartbeat(cell.index) == 1234)
        #expect(board.arbiter.presence(cell.index).lifetime == .serving)
    }

    @Test func presenceSurvivesItsWord() {
        for lifetime in CellLifetime.allCases {
            let presence = ScoreboardPresence(
                lifetime: lifetime, accepting: true, runners: 65_535, busy: 1, waiting: 300)
            #expect(ScoreboardPresence(word: presence.word) == presence)
        }
        let clamped = ScoreboardPresence(
            word: ScoreboardPresence(lifetime: .serving, runners: 70_000, busy: -1, waiting: 2).word)
        #expect(clamped == ScoreboardPresence(lifetime: .serving, runners: 65_535, busy: 0, waiting: 2))
        #expect(ScoreboardPresence(word: .max).lifetime == .free)
    }

    @Test func presenceWithOneWaitingLessAndOnItsWayOut() {
        let presence = ScoreboardPresence(lifetime: .serving, accepting: true, runners: 4, busy: 1, waiting: 3)
        #expect(
            presence.withOneWaitingLess()
                == ScoreboardPresence(lifetime: .serving, accepting: true, runners: 4, busy: 1, waiting: 2))
        #expect(
            presence.leaving()
                == ScoreboardPresence(lifetime: .leaving, accepting: true, runners: 4, busy: 1, waiting: 0))
    }

    /// Paths are written a word at a time, and a rest of one to seven bytes as parts of a word.
    @Test func pathsOfEveryLengthArriveWhole() throws {
        let board = Board()
        let cell = try board.worker(200)
        for length in 0...(ScoreboardLayout.pathLimit + 2) {
            let path = String(decoding: (0..<length).map { UInt8(33 + $0 % 90) }, as: UTF8.self)
            cell.begin(0, path)
            let exchange = try #require(try board.reader().snapshot().workers.first?.exchanges.first)
            #expect(exchange.path == Array(path.utf8.prefix(ScoreboardLayout.pathLimit)))
            #expect(exchange.pathByteCount == length)
            cell.endExchange(0)
        }
    }

    @Test func theShortestDurationsAreInTheFirstBucket() throws {
        #expect(DurationBuckets.index(of: DurationBuckets.least) == 0)
        #expect(DurationBuckets.index(of: DurationBuckets.least + 1) == 1)
        let board = Board()
        let cell = try board.worker(200)
        cell.countRequest(.get, status: 200, waited: 0, application: 100_000, total: 100_001)
        let counters = try #require(try board.reader().snapshot().workers.first).counters
        let start = CellWord.counters
        #expect(cell.words.load(start + CounterWord.waitingTime) == 1)
        #expect(cell.words.load(start + CounterWord.applicationTime) == 1)
        #expect(cell.words.load(start + CounterWord.totalTime) == 0)
        #expect(cell.words.load(start + CounterWord.totalTime + 1) == 1)
        #expect(cell.words.load(start + CounterWord.totalTime + DurationBuckets.boundCount + 1) == 100_001)
        #expect(counters.requests(.get, .success) == 1)
    }

    @Test func refusesWhatIsNoScoreboard() throws {
        let board = Board()
        func fault(_ byteCount: Int) -> ScoreboardFault? {
            #expect(throws: ScoreboardFault.self) { try ScoreboardReader(board.memory, byteCount: byteCount) }
        }
        #expect(fault(10) == .tooShort)
        #expect(fault(board.layout.byteCount - 1) == .tooShort)
        let words = board.arbiter.words
        words.store(HeaderWord.cellStride, 8)
        #expect(fault(board.layout.byteCount) == .malformed)
        words.store(HeaderWord.cellCount, 0)
        #expect(fault(board.layout.byteCount) == .malformed)
        words.store(HeaderWord.version, 2)
        #expect(fault(board.layout.byteCount) == .otherVersion(2))
        words.store(HeaderWord.magic, 0)
        #expect(fault(board.layout.byteCount) == .notAScoreboard)
    }

    @Test(arguments: [
        ("GET", MethodClass.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch),
        ("DELETE", .delete), ("OPTIONS", .options), ("", .other), ("get", .other), ("GETS", .other), ("PRI", .other),
        ("POS", .other), ("TRACE", .other),
    ]) func classifiesMethods(_ method: String, _ expected: MethodClass) {
        var method = method
        #expect(method.withUTF8 { MethodClass(UnsafeRawBufferPointer($0)) } == expected)
    }

    @Test func bucketsAreThoseOfTheirBounds() throws {
        for index in 0..<DurationBuckets.boundCount {
            let seconds = try #require(Double(DurationBuckets.bound(index).description))
            let bound = UInt64((seconds * 1e9).rounded())
            #expect(DurationBuckets.index(of: bound) == index)
            #expect(DurationBuckets.index(of: bound + 1) == index + 1)
        }
        #expect(DurationBuckets.index(of: 0) == 0 && DurationBuckets.index(of: .max) == DurationBuckets.boundCount)
        #expect(DurationBuckets.bound(DurationBuckets.boundCount).description == "+Inf")
    }
}
