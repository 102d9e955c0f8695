import Testing

@testable import Transport

@Suite struct ReadAheadWindowTests {
    /// All of a file is asked for, once and in order, two steps at a time at most, and ahead of what is sent.
    @Test func asksForEverythingOnce() {
        let last = 5_000_000
        var window = ReadAheadWindow(from: 100)
        var end = 100
        for offset in stride(from: 100, through: last, by: ReadAheadWindow.step) {
            guard let range = window.next(through: min(last, offset + ReadAheadWindow.step), of: last) else { continue }
            #expect(range.lowerBound == end)
            #expect(range.count <= 2 * ReadAheadWindow.step)
            end = range.upperBound
        }
        #expect(end == last)
        let rest = window.next(through: last, of: last)
        #expect(rest == nil)
    }
}
