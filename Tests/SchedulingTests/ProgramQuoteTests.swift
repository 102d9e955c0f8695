import Glibc
import Testing

/// The model stands for the code only as long as the lines that it quotes are there. A change of one of them needs a
/// look at the piece of `Programs.swift` that stands for it.
@Suite struct ProgramQuoteTests {
    private static let root = "\(#filePath)".split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    private static func lines(_ path: String) throws -> [Substring] {
        let file = try #require(fopen("\(root)/\(path)", "r"), "\(path) is not there")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// A line of code without what stands around it.
    private static func trim(_ line: Substring) -> Substring {
        var line = line.drop { $0 == " " }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// The code of a module's file, a line each, without comments.
    private static func code(_ name: String) throws -> [Substring] {
        let module =
            switch name {
            case "PilotLoop.swift": "Scheduling"
            case let name where name.hasPrefix("Reactor"): "Transport"
            default: "Worker"
            }
        return try lines("Sources/\(module)/\(name)").map(trim).filter { !$0.hasPrefix("//") }
    }

    private struct Quote {
        let program: String
        let line: Int
        let files: [String]
        let text: Substring
    }

    private static func quotes() throws -> [Quote] {
        try ["Programs.swift", "RelayPrograms.swift"].flatMap { try quotes(of: $0) }
    }

    private static func quotes(of program: String) throws -> [Quote] {
        var files: [String] = []
        var quotes: [Quote] = []
        for (index, line) in try lines("Tests/SchedulingTests/Model/\(program)").enumerated() {
            // Not in the words about the file.
            guard let slashes = line.firstRange(of: "// "), !line.contains("///") else { continue }
            let comment = line[slashes.upperBound...]
            if comment.hasPrefix("MARK: ") {
                files = comment.dropFirst(6).split(separator: ", ").map { String($0) }
                continue
            }
            let parts = comment.split(separator: "`", omittingEmptySubsequences: false)
            for part in parts.indices where part % 2 == 1 {
                quotes.append(Quote(program: program, line: index + 1, files: files, text: parts[part]))
            }
        }
        return quotes
    }

    @Test func everyLineThatTheModelQuotesIsThere() throws {
        let quotes = try Self.quotes()
        #expect(quotes.count > 60)
        for quote in quotes {
            let code = try quote.files.flatMap { try Self.code($0) }
            let isThere = code.contains(quote.text)
            #expect(isThere, "\(quote.program):\(quote.line): not in \(quote.files): \(quote.text)")
        }
    }

    /// A hand-over that the model does not know would be one that is not proved.
    @Test(arguments: ["Runner.swift", "PilotLoop.swift", "Pilot.swift", "Crew.swift"])
    func everyHandOverIsInTheModel(file: String) throws {
        let operations = [
            ".take(", ".offer(", ".offerIfAwaited(", ".lend(", ".recover(", ".observe(", ".retake(",
            ".offerToWaitingRunner(", ".claimUnwantedOffer(", ".sleepUntilLent(", ".wakePilot(", ".wakeRunners(",
        ]
        let quoted = Set(try Self.quotes().filter { $0.files.contains(file) }.map(\.text))
        for line in try Self.code(file) where operations.contains(where: { line.contains("handOver" + $0) }) {
            let isQuoted = quoted.contains(line)
            #expect(isQuoted, "not in Programs.swift: \(line)")
        }
    }

    /// Nor one to another worker.
    @Test(arguments: ["Runner.swift", "PilotLoop.swift", "Crew.swift", "Crew+Sharing.swift"])
    func everyDealingWithTheRelayIsInTheModel(file: String) throws {
        let operations = [
            "crew.share(", "crew.shareStalled(", "reactor.share(", "reactor.readsAhead(", "reactor.leave(",
            "reactor.adoptLeftBehind(", "duties.setAccepting(",
        ]
        let quoted = Set(try Self.quotes().filter { $0.files.contains(file) }.map(\.text))
        var found = 0
        for line in try Self.code(file) where operations.contains(where: { line.contains($0) }) {
            let isQuoted = quoted.contains(line)
            #expect(isQuoted, "not in RelayPrograms.swift: \(line)")
            found += 1
        }
        #expect(found > 0)
    }
}
