internal import HTTPServer
internal import Platform
public import Scheduling

/// An exchange whose response is on its way to the client: what there is to tell of it once that has left.
final class Departure {
    fileprivate(set) var record = ExchangeRecord()
    /// What the observer wants to remember.
    fileprivate(set) var note: [UInt8] = []
    /// Where the note's bytes are counted.
    private let budget: MemoryBudget?
    /// It has those that were told of. The runner whose it is may be gone before this is.
    private weak var home: DeparturePool?

    fileprivate init(home: DeparturePool, budget: MemoryBudget?) {
        self.home = home
        self.budget = budget
    }

    fileprivate func begin(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        _ observer: any ExchangeObserver
    ) {
        self.record = copy record
        observer.remember(record, head: head, response: response, in: &note)
        budget?.change(.responses, by: note.count)
    }

    /// It was told of, and may serve for another exchange.
    func end() {
        budget?.change(.responses, by: -note.count)
        home?.takeBack(self)
    }

    fileprivate func clear() -> Bool {
        note.removeAll(keepingCapacity: note.capacity <= Self.keptCapacity)
        return note.capacity > 0
    }

    /// Bytes of a note that is kept for another exchange.
    private static let keptCapacity = 2048
}

/// Departures that wait for exchanges to be told of. Small responses that leave together have one each, for a moment:
/// nothing is allocated for that.
final class DeparturePool: @unchecked Sendable {
    // `@unchecked`: `free` is for who holds the lock. Made by a runner, and given back by who has the baton.
    private let word = LockWord()
    private var free: [Departure] = []

    /// What of a response has not left when its application is done.
    func begin(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        _ observer: any ExchangeObserver, budget: MemoryBudget?
    ) -> Departure {
        word.lock()
        let known = free.popLast()
        word.unlock()
        let departure = known ?? Departure(home: self, budget: budget)
        departure.begin(record, head: head, response: response, observer)
        return departure
    }

    fileprivate func takeBack(_ departure: Departure) {
        guard departure.clear() else { return }
        word.lock()
        if free.count < Deferral<Connection>.most { free.append(departure) }
        word.unlock()
    }
}

/// Telling of exchanges whose responses did not leave at once.
extension Reactor {
    /// All of a response has left, or nothing more of it will.
    ///
    /// - Parameter unsent: bytes of it that are given up.
    func tellOfDeparture(_ connection: Connection, unsent: Int = 0) {
        guard let departure = connection.departure.take() else { return }
        if let observer {
            var record = departure.record
            record.handedOver = Clock.now()
            record.wallSeconds = Clock.wallSeconds()
            record.lose(unsent: unsent)
            departure.note.withUnsafeBytes { observer.exchangeLeft(record, note: $0) }
        }
        departure.end()
    }

    /// The worker ends, and what has not left by now never does.
    public func tellOfUnsent(_ baton: borrowing Baton) {
        for connection in connections where connection.departure != nil {
            tellOfDeparture(connection, unsent: connection.outbox.count)
        }
    }
}
