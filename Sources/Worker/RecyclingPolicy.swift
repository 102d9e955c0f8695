internal import Platform

/// When a worker has had its share of time or of memory. It takes the clock and the measures, and knows no system.
struct RecyclingPolicy {
    /// Nanoseconds; nil for any time.
    private let lifetime: Nanoseconds?
    /// Bytes; nil for any number.
    private let memory: Int?
    private let began: Nanoseconds
    /// When memory is measured next.
    private var nextMeasure: Nanoseconds = 0

    /// Between two measures of what takes time, in nanoseconds.
    static let interval = Nanoseconds.seconds(5)

    init(lifetime: Nanoseconds?, memory: Int?, at now: Nanoseconds) {
        self.lifetime = lifetime
        self.memory = memory
        began = now
    }

    /// To be asked about once a second.
    ///
    /// - Parameters:
    ///   - resident: bytes that are resident. What is shared counts as if it were not, so that it is the most that the
    ///     share can be.
    ///   - proportional: the worker's share of bytes, which takes time to find. Nil where the system does not tell.
    /// - Returns: why it is to be replaced, in words for the log; nil while it is not.
    mutating func verdict(at now: Nanoseconds, resident: () -> Int?, proportional: () -> Int?) -> String? {
        if let lifetime, now >= began, now - began >= lifetime {
            return "it has lived for \((now - began) / 1_000_000_000) s"
        }
        guard let memory, now >= nextMeasure, let most = resident(), most > memory else { return nil }
        nextMeasure = now + Self.interval
        let share = proportional() ?? most
        guard share > memory else { return nil }
        return "it has \(share >> 20) MiB of memory (\(share) bytes, of \(memory) that it may have)"
    }
}
