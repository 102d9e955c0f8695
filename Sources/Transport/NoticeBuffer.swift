/// A line for the error log, from a place that cannot write it.
public struct Notice: Equatable, Sendable {
    public enum Level: Sendable { case debug, info, warning, error }
    public let level: Level
    public let text: String
}

/// Lines for the error log until somebody writes them. A flood of bad clients must grow neither memory nor the time
/// that the log takes, so what finds no room is counted.
struct NoticeBuffer {
    /// The most lines between two calls of `takeAll`.
    static let limit = 256

    private var notices: [Notice] = []
    private var leftOut = 0

    mutating func append(_ level: Notice.Level, _ text: String) {
        if notices.count < Self.limit {
            notices.append(Notice(level: level, text: text))
        } else {
            leftOut += 1
        }
    }

    @inline(__always)
    var isEmpty: Bool { notices.isEmpty }

    /// All lines, and one that says how many are missing.
    mutating func takeAll() -> [Notice] {
        if leftOut > 0 {
            notices.append(Notice(level: .warning, text: "\(leftOut) more lines like these are left out."))
            leftOut = 0
        }
        defer { notices = [] }
        return notices
    }
}
