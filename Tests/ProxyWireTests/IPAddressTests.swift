import ProxyWire
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("0.0.0.0", UInt32(0)), ("127.0.0.1", 0x7F00_0001), ("255.255.255.255", .max), ("1.20.200.9", 0x0114_C809),
    ])
    func readsIPv4(text: String, number: UInt32) {
        #expect(IPAddress(text) == .v4(number))
    }

    private static let numbers: [(text: String, number: UInt128)] = [
        ("::", 0), ("::1", 1), ("1::", 1 << 112), ("0001::0", 1 << 112), ("1::8", 1 << 112 | 8),
        ("1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004_0005_0006_0007_0008),
        ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004_0005_0006_0007_0000),
        ("::2:3:4:5:6:7:8", 0x0002_0003_0004_0005_0006_0007_0008),
        ("2001:DB8::abcd", 0x2001_0DB8 << 96 | 0xABCD), ("64:ff9b::1.2.3.4", 0x64_FF9B << 96 | 0x0102_0304),
        ("::ffff:1.2.3.4", 0xFFFF_0102_0304), ("::1.2.3.4", 0x0102_0304),
        ("1:2:3:4:5:6:1.2.3.4", 0x0001_0002_0003_0004_0005_0006_0102_0304),
    ]

    @Test(arguments: numbers)
    func readsIPv6(text: String, number: UInt128) {
        #expect(IPAddress(text) == .v6(number))
    }

    @Test(arguments: [
        "", " ", ".", ":", ":::", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04",
        "1.2.3.-4", "1.2.3.4 ", " 1.2.3.4", "0x1.2.3.4", "1..3.4", ".1.2.3", "1.2.3.4444", "١.2.3.4",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "12345::", "g::",
        "1:",
        ":1", "1::2:", "::1%lo", "[::1]", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "1.2.3.4::",
        "::/0",
    ])
    func refusesWhatIsNone(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func knowsIPv4InIPv6() {
        #expect(IPAddress("::ffff:1.2.3.4")?.unmapped == IPAddress("1.2.3.4"))
        #expect(IPAddress("1.2.3.4")?.unmapped == IPAddress("1.2.3.4"))
        for other in ["::1.2.3.4", "::fffe:1.2.3.4", "1::ffff:1.2.3.4", "::1"] {
            #expect(IPAddress(other)?.unmapped == IPAddress(other))
        }
    }
}
