/// Hears what became of each exchange, whether it was served or refused: the access log, the metrics.
///
/// Each thread that runs or refuses requests has its own, so that nothing is shared on the path of a request.
public protocol ExchangeObserver: AnyObject {
    /// An exchange is over. Its bytes are valid until this returns, and this must not wait for anything.
    ///
    /// - Parameters:
    ///   - record: what became of it.
    ///   - head: the request's head, as far as it has come; ``ExchangeRecord/line`` is ranges over it.
    ///   - response: the head of the response as it was sent; empty where there was none.
    func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer)
}
