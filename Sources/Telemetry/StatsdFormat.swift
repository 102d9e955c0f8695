/// Lines of the statsd protocol, and of DogStatsD's, which adds tags: gunicorn's, byte by byte.
public struct StatsdFormat: Sendable {
    /// In front of every name, its dot included.
    let prefix: [UInt8]
    /// `|#a:b,c:d`, or nothing.
    let tags: [UInt8]

    /// - Parameters:
    ///   - prefix: `statsd_prefix`; dots at its end count as one, and none is needed.
    ///   - tags: `dogstatsd_tags`, separated by commas.
    public init(prefix: String = "", tags: String = "") {
        var bytes = Array(prefix.utf8)
        var name = bytes[...]
        while name.last == UInt8(ascii: ".") { name.removeLast() }
        // gunicorn gives a dot to a prefix of two characters or more.
        if name.count >= 2 { bytes = Array(name) + [UInt8(ascii: ".")] }
        self.prefix = bytes.map(Self.harmless)
        self.tags = tags.isEmpty ? [] : Array("|#".utf8) + tags.utf8.map(Self.harmless)
    }

    /// How a value is meant.
    public enum Kind: Sendable {
        case gauge, counter, timer, histogram

        var suffix: StaticString {
            switch self {
            case .gauge: "|g"
            case .counter: "|c|@1.0"
            case .timer: "|ms"
            case .histogram: "|h"
            }
        }
    }

    /// Writes a line, without its end.
    ///
    /// - Parameters:
    ///   - name: behind the prefix.
    ///   - value: a number, as Python writes it. Line ends in either would begin a metric of their own, and are written
    ///     `_`.
    public func write(_ name: String, _ value: String, _ kind: Kind, to out: inout TextBuffer) {
        out.append(prefix)
        for byte in name.utf8 { out.append(Self.harmless(byte)) }
        out.append(UInt8(ascii: ":"))
        for byte in value.utf8 { out.append(Self.harmless(byte)) }
        out.append(kind.suffix)
        out.append(tags)
    }

    /// The same for a name of ours.
    func write(_ name: StaticString, _ kind: Kind, to out: inout TextBuffer, _ value: (inout TextBuffer) -> Void) {
        out.append(prefix)
        out.append(name)
        out.append(UInt8(ascii: ":"))
        value(&out)
        out.append(kind.suffix)
    }

    private static func harmless(_ byte: UInt8) -> UInt8 { byte < 0x20 ? UInt8(ascii: "_") : byte }
}
