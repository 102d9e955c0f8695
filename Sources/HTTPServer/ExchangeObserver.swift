internal import HTTPWire

/// Hears what became of each exchange, whether it was served or refused: the access log, the metrics.
///
/// Each thread that runs or refuses requests has its own, so that nothing is shared on the path of a request. It hears
/// of an exchange when the last of its response has left. Where that is not when the application is done, it is asked
/// at that time for what it wants to remember, and whoever has the baton later gives that to one of its kind.
public protocol ExchangeObserver: AnyObject {
    /// An exchange is over, and its response has left. The bytes are valid until this returns, and this must not wait
    /// for anything.
    ///
    /// - Parameters:
    ///   - record: what became of it.
    ///   - head: the request's head, as far as it has come; ``ExchangeRecord/line`` is ranges over it.
    ///   - response: the head of the response as it was sent; empty where there was none.
    func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer)

    /// The response is made, and part of it has not left yet: appends what is to be remembered of request and response.
    func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8])

    /// An exchange of which something was remembered is over now.
    func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer)
}

/// Remembers everything.
extension ExchangeObserver {
    public func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8]
    ) {
        note.append(run: head)
        note.append(run: response)
    }

    public func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {
        var rest = note
        let head = rest.takeRun()
        exchangeEnded(record, head: head, response: rest.takeRun())
    }
}

/// Tells several observers of each exchange.
public final class ExchangeObservers: ExchangeObserver {
    private let all: [any ExchangeObserver]

    /// - Returns: nil for none; a single one is nobody's detour.
    public static func joining(_ observers: [any ExchangeObserver]) -> (any ExchangeObserver)? {
        observers.count > 1 ? ExchangeObservers(observers) : observers.first
    }

    private init(_ observers: [any ExchangeObserver]) { all = observers }

    public func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
    ) {
        for observer in all { observer.exchangeEnded(record, head: head, response: response) }
    }

    public func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8]
    ) {
        for observer in all {
            var own: [UInt8] = []
            observer.remember(record, head: head, response: response, in: &own)
            own.withUnsafeBytes { note.append(run: $0) }
        }
    }

    public func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {
        var rest = note
        for observer in all { observer.exchangeLeft(record, note: rest.takeRun()) }
    }
}

/// Runs of bytes, one behind the other, each behind its length.
extension [UInt8] {
    fileprivate mutating func append(run: UnsafeRawBufferPointer) {
        Swift.withUnsafeBytes(of: UInt32(run.count)) { append(contentsOf: $0) }
        append(contentsOf: run)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate mutating func takeRun() -> UnsafeRawBufferPointer {
        let end = 4 + Int(loadUnaligned(as: UInt32.self))
        defer { self = UnsafeRawBufferPointer(rebasing: self[end...]) }
        return UnsafeRawBufferPointer(rebasing: self[4..<end])
    }
}
