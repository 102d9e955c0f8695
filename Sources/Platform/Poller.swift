internal import CSystem
internal import Glibc

/// What happened on a descriptor, as `epoll(7)` reports it.
public struct PollEvents: OptionSet, Sendable {
    /// The bits of epoll_event.events.
    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Bytes, a connection or an end are there to read.
    public static let readable = PollEvents(rawValue: csystem_EPOLLIN)
    /// There is room to write.
    public static let writable = PollEvents(rawValue: csystem_EPOLLOUT)
    /// The peer shut down its sending half.
    public static let peerClosed = PollEvents(rawValue: csystem_EPOLLRDHUP)
    /// Both halves are closed. Told without being asked for.
    public static let hangUp = PollEvents(rawValue: csystem_EPOLLHUP)
    /// An error waits. Told without being asked for.
    public static let error = PollEvents(rawValue: csystem_EPOLLERR)
    /// Report changes, not states.
    public static let edgeTriggered = PollEvents(rawValue: csystem_EPOLLET)
}

/// An epoll instance. Its descriptor is itself readable when events wait, so that another loop can watch it.
public final class Poller {
    /// The epoll instance: readable when there are events.
    public let descriptor: Descriptor
    private let batch: UnsafeMutablePointer<epoll_event>
    private let capacity: Int32

    /// - Parameter capacity: the most events that one wait returns.
    public init(capacity: Int = 256) throws(SystemError) {
        descriptor = Descriptor(rawValue: try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        self.capacity = Int32(capacity)
        batch = .allocate(capacity: capacity)
        batch.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit {
        batch.deallocate()
        descriptor.close()
    }

    /// Watches a descriptor. `payload` comes back with its events.
    public func add(_ watched: Descriptor, _ events: PollEvents, payload: UInt64) throws(SystemError) {
        _ = try systemCall("epoll_ctl") {
            csystem_epoll_ctl(descriptor.rawValue, EPOLL_CTL_ADD, watched.rawValue, events.rawValue, payload)
        }
    }

    /// Watches a descriptor for other events from now on. What is so already is reported, to whom edges are reported
    /// too.
    public func change(_ watched: Descriptor, _ events: PollEvents, payload: UInt64) throws(SystemError) {
        _ = try systemCall("epoll_ctl") {
            csystem_epoll_ctl(descriptor.rawValue, EPOLL_CTL_MOD, watched.rawValue, events.rawValue, payload)
        }
    }

    /// Watches a descriptor no more (`EPOLL_CTL_DEL`).
    public func remove(_ watched: Descriptor) throws(SystemError) {
        _ = try systemCall("epoll_ctl") {
            csystem_epoll_ctl(descriptor.rawValue, EPOLL_CTL_DEL, watched.rawValue, 0, 0)
        }
    }

    /// Waits for events and returns their number; 0 after a timeout or when a signal arrived.
    ///
    /// - Parameter milliseconds: -1 waits for as long as it takes, 0 does not wait.
    public func wait(milliseconds: Int32) throws(SystemError) -> Int {
        let count = epoll_wait(descriptor.rawValue, batch, capacity, milliseconds)
        if count >= 0 { return Int(count) }
        let errno = Errno.current
        // A signal is news for the caller, which may have to run a handler: it is not waited away here.
        if errno == .interrupted { return 0 }
        throw SystemError(errno, call: "epoll_wait")
    }

    /// An event of the last wait's batch.
    public func event(_ index: Int) -> (events: PollEvents, payload: UInt64) {
        precondition(index >= 0 && index < Int(capacity))
        return (
            PollEvents(rawValue: csystem_epoll_events(batch, Int32(index))), csystem_epoll_payload(batch, Int32(index))
        )
    }
}
