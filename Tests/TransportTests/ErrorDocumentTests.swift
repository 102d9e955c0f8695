import Foundation
import HTTPWire
import ProxyWire
import Testing

/// docs/errors.md lists what clients are told, so it must list all of it, and nothing else.
@Suite struct ErrorDocumentTests {
    /// Identifiers of pages that are not for the client's fault.
    static let others = ["application-error": 500, "outside-mount-point": 500]

    @Test func everyIdentifierIsDocumentedWithItsStatus() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../")
        let text = try String(contentsOf: root.appendingPathComponent("docs/errors.md"), encoding: .utf8)
        var documented: [String: Int] = [:]
        for line in text.components(separatedBy: "\n") where line.hasPrefix("| `") {
            // `| `id` | status | what the client did | what to do |`
            let cells = line.components(separatedBy: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 6, "a row without four cells: \(line)")
            let id = cells[1].trimmingCharacters(in: CharacterSet(charactersIn: "`"))
            #expect(documented[id] == nil, "\(id) is listed twice")
            documented[id] = Int(cells[2])
            #expect(!cells[3].isEmpty && !cells[4].isEmpty)
        }
        var expected = Self.others
        for fault in WireFault.allCases { expected[fault.rawValue] = fault.status }
        for fault in ProxyFault.allCases { expected[fault.rawValue] = fault.status }
        for (id, status) in expected {
            #expect(documented[id] == status, "docs/errors.md must have a row for \(id) with status \(status)")
        }
        for id in documented.keys { #expect(expected[id] != nil, "docs/errors.md lists \(id), which nobody sends") }
    }
}
