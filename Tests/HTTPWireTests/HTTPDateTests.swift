import Foundation
import HTTPWire
import Testing

@Suite struct HTTPDateTests {
    @Test func examples() {
        #expect(HTTPDate(unixSeconds: 784_111_777).description == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate(unixSeconds: 0).description == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate(unixSeconds: 951_782_399).description == "Mon, 28 Feb 2000 23:59:59 GMT")
        #expect(HTTPDate(unixSeconds: 951_782_400).description == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate(unixSeconds: 4_107_542_400).description == "Mon, 01 Mar 2100 00:00:00 GMT")
        #expect(HTTPDate(unixSeconds: 253_402_300_799).description == "Fri, 31 Dec 9999 23:59:59 GMT")
    }

    @Test func outsideTheCalendarTheNearestMomentStands() {
        #expect(HTTPDate(unixSeconds: -1).description == HTTPDate(unixSeconds: 0).description)
        #expect(HTTPDate(unixSeconds: .min).description == HTTPDate(unixSeconds: 0).description)
        #expect(HTTPDate(unixSeconds: .max).description == "Fri, 31 Dec 9999 23:59:59 GMT")
    }

    /// Against the C library, over days that reach every month and every kind of leap year.
    @Test func agreesWithTheSystem() {
        for step in 0..<4000 {
            var seconds = time_t(step * 5_500_003)
            var parts = tm()
            gmtime_r(&seconds, &parts)
            var text = [CChar](repeating: 0, count: 40)
            strftime(&text, 40, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            let expected = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            #expect(HTTPDate(unixSeconds: seconds).description == expected)
        }
    }

    @Test func writesJustItsBytes() {
        var buffer = [UInt8](repeating: 0x2E, count: 31)
        buffer.withUnsafeMutableBytes { HTTPDate(unixSeconds: 0).write(into: $0) }
        #expect(latin1(buffer) == "Thu, 01 Jan 1970 00:00:00 GMT..")
    }
}
