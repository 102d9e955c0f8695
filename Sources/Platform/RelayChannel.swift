internal import CSystem
internal import Glibc

/// A queue of messages with descriptors that processes share: a pair of sockets that keep messages apart (`unix(7)`,
/// `SOCK_SEQPACKET`). Whoever has a copy sends into `inlet` and receives from `outlet`; each message reaches one of
/// them.
///
/// What was sent stays in the kernel when its sender ends, descriptors included, for as long as somebody has the
/// outlet. Nobody ever waits, and both ends are closed on exec.
public struct RelayChannel: Sendable {
    /// Descriptors that one message can carry.
    public static var descriptorLimit: Int { Int(csystem_relay_descriptors) }

    /// Where messages are posted.
    public let inlet: Descriptor
    /// Where they are adopted.
    public let outlet: Descriptor
    private let kernel: Kernel

    /// The calls that move messages. Tests put others in their place: some failures cannot be had from a kernel at
    /// will.
    struct Kernel: Sendable {
        struct Received: Sendable {
            var byteCount = 0
            var descriptors: [Descriptor] = []
            var isTruncated = false
            var lostDescriptors = false
        }

        /// 0, or why not.
        var send: @Sendable (Descriptor, UnsafeRawBufferPointer, [Descriptor]) -> Errno? = Self.send
        var receive: @Sendable (Descriptor, UnsafeMutableRawBufferPointer) -> Result<Received, SystemError> =
            Self.receive
        /// Why so many descriptors cannot be made; nil when they can.
        var missingRoom: @Sendable (Descriptor, Int) -> Errno? = Self.missingRoom
        var close: @Sendable (Descriptor) -> Void = { $0.close() }
    }

    /// - Throws: `SystemError` when the system has no descriptors left.
    public init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        _ = try systemCall("socketpair") {
            withUnsafeMutableBytes(of: &ends) { csystem_relay_pair($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        }
        self.init(inlet: Descriptor(rawValue: ends.0), outlet: Descriptor(rawValue: ends.1), kernel: Kernel())
    }

    init(inlet: Descriptor, outlet: Descriptor, kernel: Kernel) {
        self.inlet = inlet
        self.outlet = outlet
        self.kernel = kernel
    }

    /// The same ends with other calls.
    func with(_ kernel: Kernel) -> RelayChannel { RelayChannel(inlet: inlet, outlet: outlet, kernel: kernel) }

    /// Closes this process's copies. Messages are lost, and their descriptors closed, with the last outlet.
    public func close() {
        inlet.close()
        outlet.close()
    }

    /// Has the kernel keep more messages. Each costs its bytes and some hundreds for itself; the default of most
    /// systems holds about 150 small ones (`SO_SNDBUF`, socket(7)).
    ///
    /// - Parameter bytes: above `net.core.wmem_max` only where the process may (`SO_SNDBUFFORCE`).
    /// - Returns: what the kernel gave, as it counts, which is up to twice what was asked for.
    /// - Throws: `SystemError`.
    @discardableResult
    public func resize(bytes: Int32) throws(SystemError) -> Int {
        Int(try systemCall("setsockopt") { csystem_relay_set_send_buffer(inlet.rawValue, bytes) })
    }

    /// Bytes of messages that nobody has received yet.
    public var pendingByteCount: Int { max(0, Int(csystem_unread(outlet.rawValue))) }

    /// Sends one message: whole or not at all. The kernel has descriptors of its own afterwards, so the sender closes
    /// its copies once this returned `.sent`, and keeps them otherwise.
    ///
    /// - Parameters:
    ///   - bytes: at least one.
    ///   - descriptors: at most `descriptorLimit`.
    /// - Throws: `RelayError`, when the message stays with the sender.
    public func send(_ bytes: UnsafeRawBufferPointer, _ descriptors: [Descriptor]) throws(RelayError) -> RelaySent {
        guard bytes.count > 0, descriptors.count <= Self.descriptorLimit else { throw .malformed }
        switch kernel.send(inlet, bytes, descriptors)?.rawValue {
        case nil: return .sent
        case EAGAIN: return .full
        case ETOOMANYREFS: return .tooManyOnTheWay
        case ENOBUFS, ENOMEM: return .noMemory
        case EMSGSIZE: throw .tooLarge(bytes: bytes.count)
        case EPIPE, ECONNRESET, ENOTCONN, ECONNREFUSED: throw .noReceiver
        case let errno?: throw .failed(SystemError(Errno(rawValue: errno), call: "sendmsg"))
        }
    }

    /// Receives one message, if there is one. Its descriptors are the caller's, closed on exec.
    ///
    /// Before it takes a message off the queue it makes sure that the process has room for its descriptors: those that
    /// find none are closed by the kernel, and their connections with them. Another thread may still take the room in
    /// between.
    ///
    /// - Parameter room: how many descriptors the message may have.
    /// - Returns: nil when there is none.
    /// - Throws: `RelayError`. After `.truncated` and `.descriptorsLost` the message is gone, and those of its
    ///   descriptors that did arrive are closed; after all others it is still there.
    public func receive(
        into buffer: UnsafeMutableRawBufferPointer, room: Int = descriptorLimit
    ) throws(RelayError) -> (byteCount: Int, descriptors: [Descriptor])? {
        if let errno = kernel.missingRoom(outlet, min(room, Self.descriptorLimit)) {
            switch errno {
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem: throw .noRoomForDescriptors(errno)
            default: throw .failed(SystemError(errno, call: "fcntl"))
            }
        }
        let received: Kernel.Received
        switch kernel.receive(outlet, buffer) {
        case .success(let message): received = message
        case .failure(let error) where error.errno == .again: return nil
        case .failure(let error): throw .failed(error)
        }
        if received.lostDescriptors || received.isTruncated {
            received.descriptors.forEach(kernel.close)
            throw received.lostDescriptors ? .descriptorsLost(arrived: received.descriptors.count) : .truncated
        }
        // An end of file: every inlet is closed. No message of ours is empty.
        if received.byteCount == 0 {
            received.descriptors.forEach(kernel.close)
            throw .noSender
        }
        return (received.byteCount, received.descriptors)
    }
}

extension RelayChannel.Kernel {
    private static func send(
        _ socket: Descriptor, _ bytes: UnsafeRawBufferPointer, _ descriptors: [Descriptor]
    ) -> Errno? {
        // `Descriptor` is its number and nothing else.
        descriptors.withUnsafeBytes { numbers in
            while true {
                let result = csystem_relay_send(
                    socket.rawValue, bytes.baseAddress, bytes.count,
                    numbers.assumingMemoryBound(to: Int32.self).baseAddress, descriptors.count)
                if result >= 0 { return nil }
                let errno = Errno.current
                if errno != .interrupted { return errno }
            }
        }
    }

    private static func receive(
        _ socket: Descriptor, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Result<Received, SystemError> {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: RelayChannel.descriptorLimit) { numbers in
            var (count, flags) = (0, Int32(0))
            do throws(SystemError) {
                let byteCount = try systemCall("recvmsg") {
                    csystem_relay_receive(
                        socket.rawValue, buffer.baseAddress, buffer.count, numbers.baseAddress, &count, &flags)
                }
                return .success(
                    Received(
                        byteCount: byteCount, descriptors: (0..<count).map { Descriptor(rawValue: numbers[$0]) },
                        isTruncated: flags & Int32(truncatingIfNeeded: MSG_TRUNC) != 0,
                        lostDescriptors: flags & Int32(truncatingIfNeeded: MSG_CTRUNC) != 0))
            } catch {
                return .failure(error)
            }
        }
    }

    private static func missingRoom(_ socket: Descriptor, _ count: Int) -> Errno? {
        guard count > 0 else { return nil }
        let number = csystem_duplicate(socket.rawValue)
        guard number >= 0 else { return .current }
        // The others while this one is open: so many at the same time.
        defer { _ = Glibc.close(number) }
        return missingRoom(socket, count - 1)
    }
}

/// What became of a message.
public enum RelaySent: Equatable, Sendable {
    case sent
    /// The queue takes no more now (`EAGAIN`). The message stays with its sender, as in every case but the first.
    case full
    /// This user has more descriptors on the way than a process may have open (`ETOOMANYREFS`, unix(7)). It passes when
    /// they arrive.
    case tooManyOnTheWay
    /// The kernel has no memory for it now (`ENOBUFS`, `ENOMEM`).
    case noMemory
}

/// Why a message could not be sent or received.
public enum RelayError: Error, Equatable, Sendable {
    /// No bytes, or more descriptors than a message can carry.
    case malformed
    /// The kernel never takes a message of this size, whether the queue is empty or not (`EMSGSIZE`).
    case tooLarge(bytes: Int)
    /// Nobody has the outlet any more.
    case noReceiver
    /// Nobody has the inlet any more, and nothing is left.
    case noSender
    /// The process, or the system, may not have more descriptors. The message is still in the queue, for another
    /// process.
    case noRoomForDescriptors(Errno)
    /// Descriptors found no room after all and are closed (`MSG_CTRUNC`).
    case descriptorsLost(arrived: Int)
    /// The message was larger than the buffer (`MSG_TRUNC`).
    case truncated
    case failed(SystemError)
}

extension RelayError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "a message needs a byte, and carries at most \(RelayChannel.descriptorLimit) descriptors"
        case .tooLarge(let bytes): "the system takes no message of \(bytes) bytes"
        case .noReceiver: "no process receives"
        case .noSender: "no process sends"
        case .noRoomForDescriptors(let errno): "no room for a message's descriptors: \(errno)"
        case .descriptorsLost(let arrived): "of a message's descriptors only \(arrived) arrived"
        case .truncated: "a message was larger than the buffer"
        case .failed(let error): "\(error)"
        }
    }
}
