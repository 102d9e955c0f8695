import Testing

@testable import Telemetry

@Suite struct AccessLogFormatTests {
    @Test(arguments: AccessLogCase.recorded) func writesWhatGunicornWrites(_ example: AccessLogCase) throws {
        #expect(try example.line() == example.expected)
    }

    private func line(_ format: String, _ change: (inout AccessLogCase) -> Void) throws -> String {
        var example = AccessLogCase(format: format)
        change(&example)
        return try example.line()
    }

    /// gunicorn leaves all of these as they are: a path of `/%0A...` begins a line of the client's own.
    @Test(arguments: [
        ("/\n", #"/\n"#), ("/\r\n1.2.3.4 - -", #"/\r\n1.2.3.4 - -"#), ("/\t", #"/\t"#),
        ("/\u{0}\u{1b}[31m", #"/\x00\x1b[31m"#),
        ("/\u{7f}", #"/\x7f"#), ("/\u{80}\u{9b}\u{9f}\u{a0}", "/\\x80\\x9b\\x9f\u{a0}"), (#"/\"#, #"/\\"#),
        (#"/\""#, #"/\\\""#), ("", ""),
    ]) func nothingEndsALineOrAValue(_ path: String, _ expected: String) throws {
        #expect(
            try line("%(U)s|%({x}i)s|%({x}o)s|%({x}e)s") {
                $0.path = path
                $0.request = [("x", path)]
                $0.response = [("x", path)]
                $0.environ = [("x", path)]
            } == "\(expected)|\(expected)|\(expected)|\(expected)\n")
    }

    /// Eight bytes are looked at together: every byte at every place among plain ones is escaped as it is alone.
    @Test func theFastWayEscapesTheSame() {
        func escaped(_ bytes: [UInt8]) -> String {
            var out = TextBuffer()
            bytes.withUnsafeBytes { out.append(log: $0, isUTF8: false) }
            return String(decoding: out.bytes, as: UTF8.self)
        }
        for byte in UInt8.min...UInt8.max {
            for place in 0..<16 {
                for plain in [UInt8(ascii: "a"), UInt8(ascii: " "), UInt8(ascii: "~"), UInt8(ascii: "#")] {
                    var bytes = [UInt8](repeating: plain, count: 19)
                    bytes[place] = byte
                    let filler = String(UnicodeScalar(plain))
                    let expected =
                        String(repeating: filler, count: place) + escaped([byte])
                        + String(repeating: filler, count: 18 - place)
                    #expect(escaped(bytes) == expected)
                }
            }
        }
    }

    /// Whatever a client sends, a line of the standard format has one line end and six quotes that are not escaped.
    @Test func noBytesForgeALine() throws {
        for first in UInt8.min...UInt8.max {
            for second in [UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x0A, 0x61] {
                let text = String(String.UnicodeScalarView([first, second].map { UnicodeScalar($0) }))
                let line = try line(AccessLogFormat.standard) {
                    $0.target = text
                    $0.request = [("referer", text), ("user-agent", text)]
                }
                #expect(line.utf8.count { $0 == 0x0A } == 1)
                var quotes = 0
                var isEscaped = false
                for byte in line.utf8 {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        quotes += 1
                    }
                    #expect(byte >= 0x20 || byte == 0x0A)
                }
                #expect(quotes == 6, "\(first) \(second)")
            }
        }
    }

    /// A name with control characters in base64 is as harmless as one in plain text.
    @Test func aUserForgesNothing() throws {
        // "a\nb\u{85}\":x" in UTF-8.
        #expect(try line("%(u)s") { $0.request = [("authorization", "Basic YQpiwoUiOng=")] } == "a\\nb\\x85\\\"\n")
    }

    @Test func aUserWithoutEndIsCut() throws {
        // 3,000 times "é": two bytes, and 1,024 are an even number of them.
        let code = String(repeating: "w6nDqcOp", count: 1000)
        let expected = String(repeating: "\u{e9}", count: 512) + "\n"
        #expect(try line("%(u)s") { $0.request = [("authorization", "Basic \(code)")] } == expected)
        // One byte earlier a character would be cut in two.
        let odd = "YcOp" + code
        #expect(
            try line("%(u)s") { $0.request = [("authorization", "Basic \(odd)")] }
                == "a" + String(repeating: "\u{e9}", count: 511) + "\n")
    }

    @Test func whatThereIsNotIsADash() throws {
        #expect(
            try line(AccessLogFormat.standard + " %(U)s %(q)s %(m)s %(H)s") {
                $0.method = nil
                $0.target = nil
                $0.version = nil
                $0.path = nil
                $0.query = nil
                $0.address = nil
                $0.status = 0
                $0.sent = nil
            } == "- - - [06/Nov/1994:08:49:37 +0000] \"-\" - - \"-\" \"-\" - - - -\n")
        #expect(try line("%(r)s") { $0.version = nil } == "GET /a?b=c -\n")
    }

    /// gunicorn's seconds begin again after a day.
    @Test func daysAreCounted() throws {
        #expect(
            try line("%(T)s %(L)s") { $0.microseconds = 2 * 86_400_000_000 + 1 } == "172800 172800.000001\n")
    }

    @Test(
        arguments: [
            (784_111_777, 3600, "[06/Nov/1994:09:49:37 +0100]"), (784_111_777, -12_600, "[06/Nov/1994:05:19:37 -0330]"),
            (0, 0, "[01/Jan/1970:00:00:00 +0000]"), (-1, 0, "[31/Dec/1969:23:59:59 +0000]"),
            (951_782_400, 0, "[29/Feb/2000:00:00:00 +0000]"), (1_709_251_199, 0, "[29/Feb/2024:23:59:59 +0000]"),
            (4_107_542_400, 0, "[01/Mar/2100:00:00:00 +0000]"), (253_402_300_799, 0, "[31/Dec/9999:23:59:59 +0000]"),
            (1_735_689_599, 3600, "[01/Jan/2025:00:59:59 +0100]"),
        ] as [(Int64, Int, String)]) func writesLocalTime(_ time: Int64, _ zone: Int, _ expected: String) throws
    {
        #expect(
            try line("%(t)s") {
                $0.time = time
                $0.timeZone = zone
            } == expected + "\n")
    }

    @Test(arguments: [Int64.min, .max]) func absurdClocksDoNotTrap(_ time: Int64) throws {
        for zone in [Int.min, Int.max, 0] {
            let line = try line("%(t)s") {
                $0.time = time
                $0.timeZone = zone
            }
            #expect(line.hasPrefix("[") && line.hasSuffix("]\n"))
        }
    }

    @Test(arguments: [
        ("50%", AccessLogFormatError.incomplete(offset: 2)), ("%(h", .incomplete(offset: 0)),
        ("ab %(h)", .incomplete(offset: 3)), ("%(h)-", .incomplete(offset: 0)), ("%(h)5.", .incomplete(offset: 0)),
        ("%s", .withoutName(offset: 0)), ("a%d", .withoutName(offset: 1)),
        ("%(h)r", .unknownConversion("r", offset: 0)), ("%(T)f", .unknownConversion("f", offset: 0)),
        ("%(T)*d", .unknownConversion("*", offset: 0)), ("%(s)d", .notANumber(atom: "s", offset: 0)),
        (" %({x}i)d", .notANumber(atom: "{x}i", offset: 1)), ("%(T)1001d", .tooWide(offset: 0)),
        ("%(T).99999999999999999999d", .tooWide(offset: 0)),
    ]) func namesWhatIsWrong(_ format: String, _ expected: AccessLogFormatError) {
        let error = #expect(throws: AccessLogFormatError.self) { try AccessLogFormat(format) }
        #expect(error == expected)
        #expect(!"\(expected)".isEmpty)
    }

    @Test func tellsWhetherItNeedsTheEnviron() throws {
        #expect(try !AccessLogFormat(AccessLogFormat.standard).needsEnviron)
        #expect(try AccessLogFormat("%({x}e)s").needsEnviron)
    }

    /// The same memory again and again.
    @Test func aBufferStopsGrowing() throws {
        let format = try AccessLogFormat(AccessLogFormat.standard)
        let fields = AccessLogCase.Fields(AccessLogCase())
        var out = TextBuffer()
        format.write(fields, to: &out)
        let (base, count) = (out.bytes.baseAddress, out.count)
        for _ in 0..<1000 {
            out.removeAll()
            format.write(fields, to: &out)
        }
        #expect(out.bytes.baseAddress == base && out.count == count)
    }

    // MARK: JSON

    private func object(_ format: String, _ change: (inout AccessLogCase) -> Void = { _ in }) throws -> String {
        var example = AccessLogCase(format: format)
        change(&example)
        return try example.line(json: true)
    }

    @Test func anObjectHasTheFieldsThatTheFormatNames() throws {
        #expect(
            try object(AccessLogFormat.standard) { $0.request = [("user-agent", "curl")] }
                == #"{"remote_address": "127.0.0.1", "user": null, "time": "1994-11-06T08:49:37+00:00", "#
                + #""request": "GET /a?b=c HTTP/1.1", "status": 200, "bytes_sent": 12, "referer": null, "#
                + #""user_agent": "curl"}"# + "\n")
        #expect(
            try object("%(m)s %(U)s %(q)s %(H)s %(T)s %(M)s %(D)s %(L)s %(p)s") { $0.microseconds = 3_045_678 }
                == #"{"method": "GET", "path": "/a", "query": "b=c", "protocol": "HTTP/1.1", "duration_s": 3, "#
                + #""duration_ms": 3045, "duration_us": 3045678, "duration": 3.045678, "pid": 4321}"# + "\n")
        #expect(
            try object("%({X-A}i)s %({Y}o)s %({z.z}e)s %({no}i)s %({no}e)s") {
                $0.request = [("x-a", "1")]
                $0.response = [("y", "2")]
                $0.environ = [("z.z", "3")]
            }
                == #"{"request_headers.x-a": "1", "response_headers.y": "2", "environ.z.z": "3", "#
                + #""request_headers.no": null, "environ.no": null}"# + "\n")
    }

    @Test func aFieldThatIsNamedTwiceStandsOnce() throws {
        #expect(
            try object("%(h)s %(b)s %(B)s %(h)s %(l)s %(zzz)s") == #"{"remote_address": "127.0.0.1", "bytes_sent": 12}"#
                + "\n")
        #expect(try object("nothing") == "{}\n")
    }

    @Test func whatThereIsNotIsNull() throws {
        #expect(
            try object("%(h)s %(r)s %(s)s %(b)s %(m)s") {
                $0.address = nil
                $0.method = nil
                $0.target = nil
                $0.status = 0
                $0.sent = nil
            } == #"{"remote_address": null, "request": null, "status": null, "bytes_sent": null, "method": null}"#
                + "\n")
    }

    @Test(arguments: [
        ("/\n\"\\", #"/\u000a\"\\"#), ("/\u{0}\u{1f}\u{7f}", #"/\u0000\u001f\u007f"#),
        // UTF-8 as it is, ISO 8859-1 made into it, C1 controls of either escaped.
        ("/\u{c3}\u{a9}", "/\u{e9}"), ("/\u{e9}", "/\u{e9}"), ("/\u{c2}\u{85}", #"/\u0085"#), ("/\u{85}", #"/\u0085"#),
        ("\u{f0}\u{9f}\u{98}\u{80}", "\u{1F600}"), ("\u{ed}\u{a0}\u{80}", "\u{ed}\u{a0}\\u0080"),
    ]) func stringsAreJSON(_ path: String, _ expected: String) throws {
        #expect(try object("%(U)s") { $0.path = path } == "{\"path\": \"\(expected)\"}\n")
    }

    @Test func aUserIsAStringToo() throws {
        #expect(
            try object("%(u)s") { $0.request = [("authorization", "Basic YQpiwoUiXHg6eA==")] }
                == #"{"user": "a\nb\u0085\"\\x"}"# + "\n")
    }
}
