/// One thing that a service tells its manager, as `sd_notify(3)` lists them.
public enum ServiceState: Equatable, Sendable {
    /// The service answers, or has finished a reload.
    case ready
    /// It reads its configuration again since this point on the monotonic clock (`Clock.now()`).
    case reloading(since: Nanoseconds)
    /// It shuts down.
    case stopping
    /// From now on this process is the service's main one.
    case mainPID(ProcessID)
    /// One line for `systemctl status`. Control characters become spaces, and it is cut to 1024 bytes.
    case status(String)
    /// It makes progress: the watchdog's time starts again.
    case watchdog
    /// What is under way takes up to this long from now, in nanoseconds.
    case extendTimeout(Nanoseconds)

    /// The most bytes of a status line. The manager reads 4096 bytes of a message, `NOTIFY_BUFFER_MAX`.
    static let longestStatus = 1024

    /// The assignments of which a message consists, without a line end behind the last.
    var assignments: String {
        switch self {
        case .ready: "READY=1"
        // Both in one message: `Type=notify-reload` ignores the first without the second.
        case .reloading(let since): "RELOADING=1\nMONOTONIC_USEC=\(since / 1000)"
        case .stopping: "STOPPING=1"
        case .mainPID(let pid): "MAINPID=\(pid)"
        case .status(let text): "STATUS=\(Self.line(text))"
        case .watchdog: "WATCHDOG=1"
        case .extendTimeout(let nanoseconds): "EXTEND_TIMEOUT_USEC=\(nanoseconds / 1000)"
        }
    }

    /// A line end would begin another assignment, whoever wrote the text.
    private static func line(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || 0x7f..<0xa0 ~= scalar.value || scalar.value & ~1 == 0x2028
            let kept: Unicode.Scalar = isControl ? " " : scalar
            guard line.utf8.count + UTF8.width(kept) <= longestStatus else { break }
            line.unicodeScalars.append(kept)
        }
        return line
    }
}
