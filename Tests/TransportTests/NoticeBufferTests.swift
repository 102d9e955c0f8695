import Testing

@testable import Transport

@Suite struct NoticeBufferTests {
    @Test func aFloodIsCutAndSaysSo() {
        var buffer = NoticeBuffer()
        let answer1 = buffer.takeAll().isEmpty
        #expect(answer1)
        for number in 0..<NoticeBuffer.limit { buffer.append(.error, "\(number)") }
        let answer2 = buffer.takeAll()
        #expect(answer2.map(\.text) == (0..<NoticeBuffer.limit).map { "\($0)" })
        for number in 0..<(NoticeBuffer.limit + 7) { buffer.append(.error, "\(number)") }
        let notices = buffer.takeAll()
        #expect(notices.count == NoticeBuffer.limit + 1)
        #expect(notices.last == Notice(level: .warning, text: "7 more lines like these are left out."))
        let answer3 = buffer.takeAll().isEmpty
        #expect(answer3)
        buffer.append(.debug, "again")
        let answer4 = buffer.takeAll()
        #expect(answer4 == [Notice(level: .debug, text: "again")])
    }
}
