public import Platform

/// When to give the baton away before the application runs, instead of waiting for the pilot to retake it.
///
/// Late promotion costs nothing for an application that returns quickly, and one to two ticks in which nobody polls for
/// one that does not. Giving the baton away at once costs a wake-up and a context switch for every request. Which is
/// cheaper depends on what is asked for, so this remembers it, as a processor's branch predictor does: a saturating
/// counter for each of a few hundred kinds of request, moved up by one that outlasted a tick and down by one that did
/// not.
///
/// ```
///   promote late                    │ promote early
///   0 ◄── short ── 1 ◄── short ──── │ ── 2 ◄── short ── 3
///     ─── long ──►   ─── long ────► │ ───  ─── long ──►
/// ```
///
/// Beside the counter stands how long requests of the kind usually take that are long.
///
/// Only the thread that has the baton asks and tells it.
public struct PromotionPolicy: Sendable {
    private static let size = 256
    private static let most: UInt8 = 3
    private static let threshold: UInt8 = 2

    private var counters = [UInt8](repeating: 0, count: size)
    /// In microseconds: a moving average in which each request has a quarter's weight.
    private var durations = [UInt32](repeating: 0, count: size)

    public init() {}

    /// Whether the next request of this kind is better run without the baton.
    ///
    /// - Parameter kind: any number that requests of a kind share (`kind(method:path:)`); those that collide share
    ///   their history.
    public func promotesEarly(_ kind: UInt32) -> Bool {
        counters[Int(truncatingIfNeeded: kind) & (Self.size - 1)] >= Self.threshold
    }

    /// Notes how a request went.
    ///
    /// - Parameter outlastedTick: whether the application ran for longer than a tick.
    public mutating func note(_ kind: UInt32, outlastedTick: Bool) {
        let index = Int(truncatingIfNeeded: kind) & (Self.size - 1)
        let counter = counters[index]
        if outlastedTick {
            if counter < Self.most { counters[index] = counter + 1 }
        } else if counter > 0 {
            counters[index] = counter - 1
        }
    }

    /// Notes how long a request took, one that the policy may have expected to be long.
    ///
    /// - Parameter duration: nanoseconds.
    public mutating func learn(_ kind: UInt32, duration: Nanoseconds) {
        let index = Int(truncatingIfNeeded: kind) & (Self.size - 1)
        // An hour is as good as any time.
        let sample = min(duration / 1000, 3_600_000_000)
        let average = UInt64(durations[index])
        durations[index] = UInt32(average == 0 ? sample : (average * 3 + sample) / 4)
    }

    /// Nanoseconds that requests of this kind took lately, where they were long; 0 when none was.
    public func usualDuration(_ kind: UInt32) -> Nanoseconds {
        Nanoseconds(durations[Int(truncatingIfNeeded: kind) & (Self.size - 1)]) * 1000
    }

    /// The kind of a request: what it asks for, by its path's first bytes. Routes differ there, and what follows is
    /// mostly a record's name.
    ///
    /// - Parameters:
    ///   - method: a small number that tells the methods apart.
    ///   - path: the request target's path.
    public static func kind(method: UInt8, path: UnsafeRawBufferPointer) -> UInt32 {
        let count = path.count
        var hash = UInt64(method) &* 0x9E37_79B9_7F4A_7C15
        guard let base = path.baseAddress, count > 0 else { return UInt32(truncatingIfNeeded: hash >> 32) }
        var offset = 0
        // At most two words: the rest is rarely what tells routes apart, and this runs for every request.
        while offset < min(count, 16) {
            var word: UInt64 = 0
            if count &- offset >= 8 {
                word = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            } else {
                for index in offset..<count { word = word << 8 | UInt64(path[index]) }
            }
            hash = (hash ^ word) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            offset &+= 8
        }
        return UInt32(truncatingIfNeeded: hash >> 24)
    }
}
