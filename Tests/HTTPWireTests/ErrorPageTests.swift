import Foundation
import HTTPWire
import Testing

@Suite struct ErrorPageTests {
    static let date = HTTPDate(unixSeconds: 784_111_777)

    @Test(arguments: WireFault.allCases)
    func everyFaultHasACompletePage(_ fault: WireFault) throws {
        let error = WireError(fault)
        #expect((400...599).contains(error.status))
        #expect(ReasonPhrase.of(error.status) == error.reason)
        #expect(error.id.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
        for asJSON in [false, true] {
            let page = latin1(
                ErrorPage.response(to: error, for: ErrorAudience(prefersJSON: asJSON), date: Self.date))
            let parts = page.components(separatedBy: "\r\n\r\n")
            #expect(parts.count == 2)
            let lines = parts[0].components(separatedBy: "\r\n")
            #expect(lines[0] == "HTTP/1.1 \(error.status) \(error.reason)")
            #expect(lines.contains("Server: monoceros"))
            #expect(lines.contains("Date: Sun, 06 Nov 1994 08:49:37 GMT"))
            #expect(lines.contains("Connection: close"))
            #expect(lines.contains("Content-Length: \(parts[1].utf8.count)"))
            #expect(lines.contains("Content-Type: " + (asJSON ? "application/json" : "text/html; charset=utf-8")))
            #expect(parts[1].contains(error.id))
            #expect(parts[1].contains("\(error.status)"))
            let head = ErrorPage.response(
                to: error, for: ErrorAudience(isHead: true, prefersJSON: asJSON), date: Self.date)
            #expect(latin1(head) == parts[0] + "\r\n\r\n")
        }
    }

    @Test func jsonIsJSON() throws {
        let page = ErrorPage.response(
            status: 500, id: "application-error", for: ErrorAudience(prefersJSON: true), date: Self.date)
        let body = latin1(page).components(separatedBy: "\r\n\r\n")[1]
        #expect(body == "{\"status\": 500, \"reason\": \"Internal Server Error\", \"id\": \"application-error\"}\n")
    }

    @Test func statuses() {
        for (fault, status) in [
            (WireFault.bareLineFeed, 400), (.headTimeout, 408), (.bodyTimeout, 408), (.bodyTooLarge, 413),
            (.requestLineTooLong, 414), (.unknownExpectation, 417), (.fieldTooLarge, 431), (.tooManyFields, 431),
            (.headTooLarge, 431), (.unknownTransferCoding, 501), (.bodyNotStored, 503), (.unsupportedVersion, 505),
        ] {
            #expect(fault.status == status)
        }
    }
}
