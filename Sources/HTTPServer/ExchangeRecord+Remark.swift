internal import HTTPWire

/// What the error log should hear of an exchange, beside what the access log says of each.
public struct ExchangeRemark: Equatable, Sendable {
    public enum Level: Equatable, Sendable { case debug, warning }

    public let level: Level
    public let text: String
}

extension ExchangeRecord {
    /// Whether there is anything to remark, so that nothing is made of records that end as most do.
    @inlinable
    public var isRemarkable: Bool {
        switch ending {
        case .tooShort, .clientLeft: true
        case .refused, .underWay, .answered, .failed: false
        }
    }

    /// Nil where it went as it should, and where whoever refused or failed has said so.
    ///
    /// - Parameters:
    ///   - head: the bytes that ``line`` is ranges over.
    ///   - promised: bytes of the body that the response's head promised.
    public func remark(head: UnsafeRawBufferPointer, promised: Int) -> ExchangeRemark? {
        switch ending {
        case .tooShort(let missing):
            ExchangeRemark(
                level: .warning,
                text: "The response to \(request(head)) is too short: \(promised - missing) of \(promised) bytes. "
                    + "The connection is closed.")
        case .clientLeft:
            ExchangeRemark(
                level: .debug, text: "The client of \(request(head)) left after \(sentCount) bytes of the response.")
        case .refused, .underWay, .answered, .failed: nil
        }
    }

    /// Method and request target, as much of it as a line in the log should hold.
    public func request(_ head: UnsafeRawBufferPointer) -> String {
        let method = UnsafeRawBufferPointer(rebasing: head[line.method.offsets])
        let target = UnsafeRawBufferPointer(rebasing: head[line.target.offsets].prefix(256))
        return "\(String(decoding: method, as: UTF8.self)) \(String(decoding: target, as: UTF8.self))"
    }
}
