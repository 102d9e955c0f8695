import Testing

@testable import WSGI

@Suite struct BytesTests {
    /// Every length in which words, and the word that overlaps the one before it, play a part, and a difference at each
    /// place.
    @Test func equality() {
        for count in 0...40 {
            let bytes = (0..<count).map { UInt8($0) }
            bytes.withUnsafeBytes { left in
                bytes.map { $0 }.withUnsafeBytes { #expect(Bytes.equal(left, $0)) }
                (bytes + [0]).withUnsafeBytes { #expect(!Bytes.equal(left, $0) && !Bytes.equal($0, left)) }
                for index in 0..<count {
                    var other = bytes
                    other[index] ^= 0x80
                    other.withUnsafeBytes { #expect(!Bytes.equal(left, $0)) }
                }
            }
        }
    }

    @Test func endsOfLines() {
        for (text, end): (String, Int?) in [
            ("", nil), ("a", nil), ("\n", 1), ("a\nb\n", 2), ("a\r\n", 3), ("\r", nil), ("aaaaaaaaaaaaaaaaa\n", 18),
        ] {
            Array(text.utf8).withUnsafeBytes { #expect(Bytes.endOfLine($0) == end) }
        }
    }
}
