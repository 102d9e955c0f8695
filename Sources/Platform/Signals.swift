internal import CSystem
internal import Glibc

/// A signal number, `signal(7)`.
public struct Signal: RawRepresentable, Hashable, Sendable {
    /// The number that signal(7) lists.
    public let rawValue: Int32

    /// Any number, also one that has no name here.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    public static let hangUp = Signal(rawValue: SIGHUP)
    public static let interrupt = Signal(rawValue: SIGINT)
    public static let quit = Signal(rawValue: SIGQUIT)
    public static let abort = Signal(rawValue: SIGABRT)
    public static let kill = Signal(rawValue: SIGKILL)
    public static let user1 = Signal(rawValue: SIGUSR1)
    public static let user2 = Signal(rawValue: SIGUSR2)
    public static let terminate = Signal(rawValue: SIGTERM)
    public static let child = Signal(rawValue: SIGCHLD)
    public static let terminalInput = Signal(rawValue: SIGTTIN)
    public static let terminalOutput = Signal(rawValue: SIGTTOU)
    public static let windowChanged = Signal(rawValue: SIGWINCH)

    private static let names: [Int32: String] = [
        SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP", SIGABRT: "ABRT", SIGBUS: "BUS",
        SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1", SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE",
        SIGALRM: "ALRM", SIGTERM: "TERM", SIGCHLD: "CHLD", SIGCONT: "CONT", SIGSTOP: "STOP", SIGTSTP: "TSTP",
        SIGTTIN: "TTIN", SIGTTOU: "TTOU", SIGURG: "URG", SIGXCPU: "XCPU", SIGXFSZ: "XFSZ", SIGVTALRM: "VTALRM",
        SIGPROF: "PROF", SIGWINCH: "WINCH", SIGIO: "IO", SIGPWR: "PWR", SIGSYS: "SYS",
    ]

    /// Its name without the prefix (`TERM`); nil for a real-time signal.
    public var shortName: String? { Self.names[rawValue] }
}

extension Signal: CustomStringConvertible {
    /// `SIGTERM`, or `signal 40` for a real-time signal.
    public var description: String { shortName.map { "SIG" + $0 } ?? "signal \(rawValue)" }
}

/// The signals that a thread held back before all of them were.
public struct SignalMask {
    private var former = sigset_t()

    /// Holds back every signal of the calling thread until `restore()`; between the two, a fork gives the child time to
    /// put its own handlers in place.
    public static func blockAll() -> SignalMask {
        var all = sigset_t()
        sigfillset(&all)
        var mask = SignalMask()
        _ = pthread_sigmask(SIG_SETMASK, &all, &mask.former)
        return mask
    }

    /// Puts back the mask that `blockAll` found. Signals that waited arrive before it returns.
    public func restore() {
        var former = former
        _ = pthread_sigmask(SIG_SETMASK, &former, nil)
    }
}

/// Signals as data: a handler writes each number to a pipe, and the process reads it when it is ready for it.
///
/// One per process, and only for the process that made it: a forked child calls `abandonInChild()` first of all.
public final class SignalPipe {
    private let signals: [Signal]
    private let reading: Descriptor
    private let writing: Descriptor

    /// Installs the handlers, and lets the signals through that whoever started this process may have blocked.
    ///
    /// - Throws: `SystemError` when descriptors have run out, or a signal cannot be caught.
    public init(_ signals: [Signal]) throws(SystemError) {
        self.signals = signals
        var ends: (Int32, Int32) = (-1, -1)
        _ = try systemCall("pipe2") {
            withUnsafeMutableBytes(of: &ends) { csystem_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        }
        reading = Descriptor(rawValue: ends.0)
        writing = Descriptor(rawValue: ends.1)
        var own = sigset_t()
        sigemptyset(&own)
        for signal in signals {
            _ = try systemCall("sigaction") { csystem_signal_forward(signal.rawValue, ends.1) }
            sigaddset(&own, signal.rawValue)
        }
        _ = pthread_sigmask(SIG_UNBLOCK, &own, nil)
    }

    /// Sleeps until a signal arrives, one of ours or not, one of the others has something to read, or the time is over
    /// (`poll(2)`).
    ///
    /// - Parameters:
    ///   - nanoseconds: the longest wait, rounded up to a millisecond; nil for as long as it takes.
    ///   - others: further descriptors to wait for.
    public func wait(nanoseconds: Nanoseconds?, others: [Descriptor] = []) {
        var watched = ([reading] + others).map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        let milliseconds = nanoseconds.map { limit in
            Int32(clamping: limit / 1_000_000 + (limit % 1_000_000 == 0 ? 0 : 1))
        }
        // Not through the funnel: an interruption is an arrival, and its handler may want to run in Python.
        _ = poll(&watched, nfds_t(watched.count), milliseconds ?? -1)
    }

    /// The signals that arrived since the last call, in order.
    public func drain() -> [Signal] {
        var arrived: [Signal] = []
        while true {
            let count = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer -> Int in
                // Nothing to read is the end; so is any error, of which an open pipe has none.
                guard case .processed(let count)? = try? reading.read(into: buffer) else { return 0 }
                arrived += buffer.prefix(count).map { Signal(rawValue: Int32($0)) }
                return count
            }
            if count == 0 { return arrived }
        }
    }

    /// In a forked child, with all signals still blocked: gives the signals back their default action and closes the
    /// pipe, which is the parent's. Signals that the parent ignores or never touched are left as they are.
    public func abandonInChild() {
        for signal in signals { _ = csystem_signal_default(signal.rawValue) }
        reading.close()
        writing.close()
    }
}
