import Testing

@testable import HTTPWire

/// The functions under test on arrays: `#expect` cannot look into a span.
private enum Syntax {
    static func isToken(_ text: [UInt8]) -> Bool { FieldSyntax.isToken(text.span.bytes) }
    static func isFieldValue(_ text: [UInt8]) -> Bool { FieldSyntax.isFieldValue(text.span.bytes) }
    static func decimal(_ text: [UInt8]) -> Int? {
        let found = FieldSyntax.decimal(text.span.bytes, from: 0, to: text.count)
        return if case .value(let value)? = found { value } else { nil }
    }
    static func trimmed(_ text: [UInt8]) -> Range<Int> { FieldSyntax.trimmed(text.span.bytes) }
    static func hasPercent(_ text: [UInt8]) -> Bool { FieldSyntax.hasPercent(text.span.bytes) }
}

@Suite struct FieldSyntaxTests {
    @Test func everyByte() {
        let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(Syntax.isToken([byte]) == token.contains(byte))
            #expect(Syntax.isFieldValue([byte]) == (byte == 9 || byte >= 0x20 && byte != 0x7F))
        }
        let empty: [UInt8] = []
        #expect(!Syntax.isToken(empty))
        #expect(Syntax.isFieldValue(empty))
    }

    /// A bad byte is found wherever it stands in a run of words, and whatever stands around it.
    @Test func everyPositionInValues() {
        for length in 0..<40 {
            for filler in [0x20, 0x09, 0x7E, 0x80, 0xFF, 0xA0] as [UInt8] {
                var value = [UInt8](repeating: filler, count: length)
                #expect(Syntax.isFieldValue(value))
                for position in 0..<length {
                    for bad in [0x00, 0x08, 0x0A, 0x0D, 0x1F, 0x7F] as [UInt8] {
                        value[position] = bad
                        #expect(!Syntax.isFieldValue(value))
                    }
                    value[position] = filler
                }
            }
        }
    }

    @Test func decimal() {
        for (text, number) in [
            ("0", 0), ("007", 7), ("9223372036854775807", Int.max), ("9223372036854775808", nil), ("", nil),
            ("-1", nil),
            ("+1", nil), ("1 ", nil), ("1e3", nil), (String(repeating: "9", count: 400), nil),
        ] as [(String, Int?)] {
            #expect(Syntax.decimal(bytes(text)) == number, "\(text)")
        }
    }

    @Test func trimmed() {
        for (text, range) in [(" \ta b\t ", 2..<5), ("", 0..<0), ("\t \t", 3..<3), ("a", 0..<1), ("\u{b}a", 0..<2)] {
            #expect(Syntax.trimmed(bytes(text)) == range)
        }
    }

    @Test func unfold() {
        for (value, line) in [
            ("a\r\n b", "a b"), ("a \t\r\n\t b", "a b"), ("\r\n a", "a"), ("a\r\n \r\n b", "a b"), ("a b", "a b"),
            ("a\r\n ", "a"), ("", ""),
        ] {
            var unfolded = bytes("> ")
            FieldSyntax.unfold(bytes(value).span.bytes, into: &unfolded)
            #expect(latin1(unfolded) == "> " + line)
        }
    }

    static func percentDecoded(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: path.unicodeScalars.count)
        let count = buffer.withUnsafeMutableBytes { FieldSyntax.percentDecode(bytes(path).span.bytes, into: $0) }
        return latin1(buffer[..<count])
    }

    @Test func percentDecoding() {
        for (path, decoded) in [
            ("/a%20b", "/a b"), ("/%C3%a9", "/\u{c3}\u{a9}"), ("/%00", "/\0"), ("/%2F%2f", "///"), ("%", "%"),
            ("%4", "%4"), ("%4g", "%4g"), ("%%41", "%A"), ("%2541", "%41"), ("/%zz%41", "/%zzA"), ("a%41", "aA"),
            ("", ""),
        ] {
            #expect(Self.percentDecoded(path) == decoded)
            #expect(Syntax.hasPercent(bytes(path)) == path.contains("%"))
        }
        for byte in UInt8.min...UInt8.max {
            let digits = Array("0123456789abcdef".unicodeScalars)
            let escape = "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            #expect(Self.percentDecoded(escape) == latin1([byte]))
            #expect(Self.percentDecoded(escape.uppercased()) == latin1([byte]))
        }
    }
}
