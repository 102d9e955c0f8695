internal import CSystem
internal import Glibc

/// A `SOCK_SEQPACKET` pair: many processes write messages, one reads them, each whole (`unix(7)`).
public struct MessageChannel: Sendable {
    /// Where the reader waits.
    public let receiving: Descriptor
    /// What the writers have.
    public let sending: Descriptor

    /// The most bytes of a message.
    public static let longestMessage = 65536

    /// - Throws: `SystemError` when descriptors have run out.
    public init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        _ = try systemCall("socketpair") {
            withUnsafeMutableBytes(of: &ends) {
                socketpair(AF_UNIX, type, 0, $0.assumingMemoryBound(to: Int32.self).baseAddress)
            }
        }
        receiving = Descriptor(rawValue: ends.0)
        sending = Descriptor(rawValue: ends.1)
    }

    /// Takes the next message; nil when there is none.
    public func receive() -> [UInt8]? {
        let message = [UInt8](unsafeUninitializedCapacity: Self.longestMessage) { buffer, count in
            count = 0
            if case .processed(let received)? = try? receiving.receive(into: UnsafeMutableRawBufferPointer(buffer)) {
                count = received
            }
        }
        return message.isEmpty ? nil : message
    }

    /// Writes a message, waiting for room for up to a second.
    ///
    /// - Returns: false when there was no room, or nobody reads any more.
    @discardableResult
    public func send(_ message: [UInt8]) -> Bool {
        precondition(!message.isEmpty && message.count <= Self.longestMessage)
        for _ in 0..<10 {
            switch try? message.withUnsafeBytes({ (bytes) throws(SystemError) in try sending.send(bytes) }) {
            case .processed?: return true
            case .wouldBlock?: _ = sending.waitUntilWritable(milliseconds: 100)
            case nil: return false
            }
        }
        return false
    }
}
