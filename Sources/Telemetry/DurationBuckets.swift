/// The bounds of every histogram of durations: fixed, so that those of all workers, generations and servers add up.
///
/// Three steps a decade from a tenth of a millisecond to a minute. Switches instead of arrays: nothing is made at first
/// use, and the shortest requests, of which there are the most, need one comparison.
public enum DurationBuckets {
    /// Bounds; one bucket more holds what is beyond them all.
    public static var boundCount: Int { 18 }

    /// The first bound, in nanoseconds.
    @inlinable
    static var least: UInt64 { 100_000 }

    /// The bucket of a duration in nanoseconds: the first whose bound is not below it.
    @inlinable
    public static func index(of duration: UInt64) -> Int {
        switch duration {
        case ...least: 0
        case ...250_000: 1
        case ...500_000: 2
        case ...1_000_000: 3
        case ...2_500_000: 4
        case ...5_000_000: 5
        case ...10_000_000: 6
        case ...25_000_000: 7
        case ...50_000_000: 8
        case ...100_000_000: 9
        case ...250_000_000: 10
        case ...500_000_000: 11
        case ...1_000_000_000: 12
        case ...2_500_000_000: 13
        case ...5_000_000_000: 14
        case ...10_000_000_000: 15
        case ...30_000_000_000: 16
        case ...60_000_000_000: 17
        default: 18
        }
    }

    /// A bucket's upper bound in seconds, as metrics write it.
    public static func bound(_ index: Int) -> StaticString {
        switch index {
        case 0: "0.0001"
        case 1: "0.00025"
        case 2: "0.0005"
        case 3: "0.001"
        case 4: "0.0025"
        case 5: "0.005"
        case 6: "0.01"
        case 7: "0.025"
        case 8: "0.05"
        case 9: "0.1"
        case 10: "0.25"
        case 11: "0.5"
        case 12: "1.0"
        case 13: "2.5"
        case 14: "5.0"
        case 15: "10.0"
        case 16: "30.0"
        case 17: "60.0"
        default: "+Inf"
        }
    }
}
