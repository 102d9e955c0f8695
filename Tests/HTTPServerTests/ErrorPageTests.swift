import Foundation
import HTTPServer
import HTTPWire
import Testing

@Suite struct ErrorPageTests {
    static func page(_ error: WireError, isHead: Bool = false, asJSON: Bool = false) -> String {
        latin1(Refusal(error, for: ErrorAudience(isHead: isHead, prefersJSON: asJSON)).response(date: date))
    }

    @Test(arguments: WireFault.allCases)
    func everyFaultHasACompletePage(_ fault: WireFault) throws {
        let error = WireError(fault)
        #expect((400...599).contains(error.status))
        #expect(ReasonPhrase.of(error.status) == error.reason)
        #expect(error.id.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
        for asJSON in [false, true] {
            let parts = Self.page(error, asJSON: asJSON).components(separatedBy: "\r\n\r\n")
            #expect(parts.count == 2)
            let mediaType = asJSON ? "application/json" : "text/html; charset=utf-8"
            #expect(
                parts[0] == head("\(error.status) \(error.reason)")
                    + "close\r\nContent-Length: \(parts[1].utf8.count)\r\n"
                    + "Content-Type: \(mediaType)" + (error.status == 503 ? "\r\nRetry-After: 10" : ""))
            #expect(parts[1].contains(error.id))
            #expect(parts[1].contains("\(error.status)"))
            #expect(Self.page(error, isHead: true, asJSON: asJSON) == parts[0] + "\r\n\r\n")
        }
    }

    @Test func html() {
        #expect(
            Self.page(WireError(.bareLineFeed)).components(separatedBy: "\r\n\r\n")[1] == """
                <!DOCTYPE html>
                <html lang="en">
                <head><title>400 Bad Request</title></head>
                <body><h1>400 Bad Request</h1><p>bare-line-feed</p></body>
                </html>

                """)
    }

    @Test func json() {
        let page = Refusal.applicationError(for: ErrorAudience(prefersJSON: true)).response(date: date)
        let body = latin1(page).components(separatedBy: "\r\n\r\n")[1]
        #expect(body == "{\"status\": 500, \"reason\": \"Internal Server Error\", \"id\": \"application-error\"}\n")
    }

    @Test func statuses() {
        for (fault, status) in [
            (WireFault.bareLineFeed, 400), (.headTimeout, 408), (.bodyTimeout, 408), (.bodyTooLarge, 413),
            (.requestLineTooLong, 414), (.unknownExpectation, 417), (.fieldTooLarge, 431), (.tooManyFields, 431),
            (.headTooLarge, 431), (.unknownTransferCoding, 501), (.bodyNotStored, 503), (.unsupportedVersion, 505),
        ] {
            #expect(Refusal(WireError(fault), for: ErrorAudience()).status == status)
        }
        #expect(Refusal.outsideMountPoint(for: ErrorAudience()).status == 500)
        #expect(Refusal.outsideMountPoint(for: ErrorAudience()).id == "outside-mount-point")
    }
}
