import Testing

@testable import Telemetry

@Suite struct TextBufferTests {
    private func text(_ write: (inout TextBuffer) -> Void) -> String {
        var out = TextBuffer(capacity: 0)
        write(&out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    @Test func writesNumbers() {
        #expect(text { $0.append(0) } == "0")
        #expect(text { $0.append(Int.min) } == "-9223372036854775808")
        #expect(text { $0.append(UInt64.max) } == "18446744073709551615")
        #expect(text { $0.append(7, digits: 3) } == "007")
        #expect(text { $0.append(1234, digits: 3) } == "1234")
    }

    @Test func writesDurations() {
        #expect(text { $0.append(secondsOf: 0) } == "0.0")
        #expect(text { $0.append(secondsOf: 12_000_000_001) } == "12.000000001")
        #expect(text { $0.append(secondsOf: 500_000_000) } == "0.5")
        #expect(text { $0.append(secondsOf: 100_000_000_000) } == "100.0")
        #expect(text { $0.append(millisecondsOf: 0) } == "0.0")
        #expect(text { $0.append(millisecondsOf: 12_010) } == "12.01")
        #expect(text { $0.append(millisecondsOf: 999_000) } == "999.0")
    }

    @Test func growsAndMoves() {
        let long = String(repeating: "0123456789", count: 100)
        #expect(text { $0.append(long) } == long)
        #expect(
            text {
                $0.append("abc")
                $0.insert(UInt8(ascii: "-"), 100, at: 1)
            } == "a" + String(repeating: "-", count: 100) + "bc")
        #expect(
            text {
                $0.append("abcdef")
                $0.removeFirst(2)
                $0.truncate(3)
                $0.replace(UInt8(ascii: "x"), at: 0)
            } == "xde")
    }

    @Test(
        arguments: [
            ([0x61], true), ([0xC3, 0xA9], true), ([0xC3], false), ([0xA9], false), ([0xC0, 0x80], false),
            ([0xE0, 0x80, 0x80], false), ([0xE0, 0xA0, 0x80], true), ([0xED, 0x9F, 0xBF], true),
            ([0xED, 0xA0, 0x80], false),
            ([0xF0, 0x80, 0x80, 0x80], false), ([0xF0, 0x9F, 0x98, 0x80], true), ([0xF4, 0x8F, 0xBF, 0xBF], true),
            ([0xF4, 0x90, 0x80, 0x80], false), ([0xF5, 0x80, 0x80, 0x80], false), ([0xE2, 0x82], false), ([], true),
            ([0xE2, 0x82, 0x41], false), ([0xFF], false),
        ] as [([UInt8], Bool)]) func knowsUTF8(_ bytes: [UInt8], _ expected: Bool)
    {
        #expect(bytes.withUnsafeBytes { UTF8Text.isValid($0) } == expected)
        #expect((String(validating: bytes, as: UTF8.self) != nil) == expected)
    }
}
