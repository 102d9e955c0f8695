import Foundation
import HTTPWire
import ProxyWire
import Testing

/// One case of Tests/Corpus. The notation is described there, in README.md.
struct CorpusCase: Sendable, CustomTestStringConvertible {
    struct Expectation: Sendable {
        /// Word and argument, in the order of the file.
        var lines: [(word: String, argument: String)] = []
        /// What its body ends with, if that is not its end.
        var ending: Ending?
    }

    enum Ending: Equatable {
        case more
        case fault(WireFault)
        /// By any fault of this status.
        case refused(Int)
    }

    var name: String
    var input: [UInt8]
    var policy = RequestPolicy()
    var isTrusted = false
    /// Its field names are in upper case, whatever the client sent.
    var isForeign = false
    /// How the connection may start with a PROXY header, if it may.
    var proxyMode: ProxyMode?
    var requests: [Expectation] = []
    var ending: Ending?

    var testDescription: String { name }

    static let all = load(
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Corpus"))

    /// The cases below a directory, with what the files of this extension expect of them; cases without one are left
    /// out.
    static func load(_ corpus: URL, expectations: String = "expect") -> [CorpusCase] {
        ["valid", "invalid"].flatMap { kind in
            let directory = corpus.appendingPathComponent(kind)
            let names = try! FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
            return names.filter { $0.hasSuffix(".\(expectations)") }.map { file in
                let stem = directory.appendingPathComponent(file).deletingPathExtension()
                return CorpusCase(
                    name: "\(kind)/\(stem.lastPathComponent)",
                    http: try! String(contentsOf: stem.appendingPathExtension("http"), encoding: .ascii),
                    expect: try! String(contentsOf: stem.appendingPathExtension(expectations), encoding: .ascii))
            }
        }
    }

    init(name: String, http: String, expect: String) {
        self.name = name
        input = unescape(http.replacingOccurrences(of: "\n", with: ""))
        for paragraph in expect.components(separatedBy: "\n\n") {
            var expectation = Expectation()
            for line in paragraph.split(separator: "\n") where !line.hasPrefix("#") {
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                let argument = parts.count > 1 ? latin1(unescape(parts[1])) : ""
                switch parts[0] {
                case "policy" where argument.hasPrefix("proxy-protocol "):
                    proxyMode = ProxyMode(rawValue: String(argument.dropFirst("proxy-protocol ".count)))!
                case "policy": policy.apply(argument)
                case "trusted": isTrusted = true
                case "more": expectation.ending = .more
                case "refused": expectation.ending = .refused(Int(argument)!)
                case "fault":
                    let words = argument.split(separator: " ")
                    guard let fault = WireFault(rawValue: String(words[0])), fault.status == Int(words[1]) else {
                        fatalError("\(name): no fault \(argument)")
                    }
                    expectation.ending = .fault(fault)
                default: expectation.lines.append((parts[0], argument))
                }
            }
            if !expectation.lines.isEmpty {
                requests.append(expectation)
            } else if expectation.ending != nil {
                ending = expectation.ending
            }
        }
    }
}

/// Undoes the notation of Tests/Corpus.
func unescape(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            result.append(byte)
            continue
        }
        switch rest.popFirst() {
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "0"): result.append(0)
        case UInt8(ascii: "s"): result.append(0x20)
        case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "x"):
            result.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)!)
            rest = rest.dropFirst(2)
        case UInt8(ascii: "("):
            let star = rest.firstIndex(of: UInt8(ascii: "*"))!
            let close = rest[star...].firstIndex(of: UInt8(ascii: ")"))!
            let run = unescape(String(decoding: rest[..<star], as: UTF8.self))
            let count = Int(String(decoding: rest[(star + 1)..<close], as: UTF8.self))!
            for _ in 0..<count { result += run }
            rest = rest[(close + 1)...]
        default:
            fatalError("bad escape in \(text.prefix(200))")
        }
    }
    return result
}

extension RequestPolicy {
    fileprivate mutating func apply(_ setting: String) {
        let parts = setting.split(separator: " ").map(String.init)
        switch parts[0] {
        case "limit-request-line": limitRequestLine = Int(parts[1])!
        case "limit-request-fields": limitRequestFields = Int(parts[1])!
        case "limit-request-field-size": limitRequestFieldSize = Int(parts[1])!
        case "limit-request-body": limitRequestBody = Int(parts[1])!
        case "permit-missing-host": permitMissingHost = true
        case "permit-obsolete-folding": permitObsoleteFolding = true
        case "strip-header-spaces": stripHeaderSpaces = true
        case "permit-unconventional-method": permitUnconventionalMethod = true
        case "permit-unconventional-version": permitUnconventionalVersion = true
        case "casefold-method": casefoldMethod = true
        case "header-map": headerMap = parts[1] == "refuse" ? .refuse : .dangerous
        case "forwarder-headers": forwarderHeaders = .named(parts[1].split(separator: ",").map(String.init))
        default: fatalError("no policy \(setting)")
        }
    }
}
