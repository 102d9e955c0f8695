import HTTPServer
import HTTPWire
import Testing

/// Where a body ends, byte for byte.
@Suite struct ResponseFramingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var status = "200 OK"
        var fields: [(String, String)] = []
        var isHead = false
        var version = HTTPVersion.http11
        var total: Int?
        var blocks = ["hello"]
        /// Behind `Connection: `.
        var rest: String
        var state = ResponseWriter.State.complete
        var leavesOpen = true

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "a known length is told", total: 5, rest: "keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
        Case(
            name: "the application's length", fields: [("Content-Length", "5"), ("A", "b")],
            rest: "keep-alive\r\nContent-Length: 5\r\nA: b\r\n\r\nhello"),
        Case(
            name: "the application's length comes before the known one", fields: [("Content-Length", "3")], total: 5,
            rest: "keep-alive\r\nContent-Length: 3\r\n\r\nhel"),
        Case(
            name: "too long is cut, over several blocks", fields: [("Content-Length", "7")],
            blocks: ["hello", "hello", "hello"], rest: "keep-alive\r\nContent-Length: 7\r\n\r\nhellohe"),
        Case(
            name: "too short", fields: [("Content-Length", "12")], blocks: ["hello", "hello"],
            rest: "keep-alive\r\nContent-Length: 12\r\n\r\nhellohello", state: .short(missing: 2), leavesOpen: false),
        Case(
            name: "too short by all", fields: [("Content-Length", "12")], blocks: [],
            rest: "keep-alive\r\nContent-Length: 12\r\n\r\n", state: .short(missing: 12), leavesOpen: false),
        Case(
            name: "an unknown length is chunked", blocks: ["hello", "0123456789abcdef"],
            rest: "keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"),
        Case(
            name: "an empty block ends no chunked body", blocks: ["hello", "", "x"],
            rest: "keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n"),
        Case(
            name: "an empty block first", blocks: ["", "x"],
            rest: "keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        Case(
            name: "chunked, and no block at all", blocks: [],
            rest: "keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Case(
            name: "HTTP/1.0 has no chunks", version: .http10, blocks: ["hello", "world"],
            rest: "close\r\n\r\nhelloworld", leavesOpen: false),
        Case(
            name: "HTTP/1.0 with a length", version: .http10, total: 5,
            rest: "keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
        Case(name: "HEAD", isHead: true, total: 5, rest: "keep-alive\r\n\r\n"),
        Case(
            name: "HEAD with a length", fields: [("Content-Length", "5")], isHead: true,
            rest: "keep-alive\r\nContent-Length: 5\r\n\r\n"),
        Case(
            name: "HEAD without a body is not too short", fields: [("Content-Length", "5")], isHead: true, blocks: [],
            rest: "keep-alive\r\nContent-Length: 5\r\n\r\n"),
        Case(name: "HEAD of HTTP/1.0", isHead: true, version: .http10, rest: "keep-alive\r\n\r\n"),
        Case(name: "204", status: "204 No Content", total: 5, rest: "keep-alive\r\n\r\n"),
        Case(
            name: "204 has no length", status: "204 No Content", fields: [("Content-Length", "5")],
            rest: "keep-alive\r\n\r\n"),
        Case(name: "205", status: "205 Reset Content", total: 5, rest: "keep-alive\r\nContent-Length: 0\r\n\r\n"),
        Case(
            name: "205 has no length but 0", status: "205 Reset Content", fields: [("Content-Length", "5")],
            rest: "keep-alive\r\nContent-Length: 0\r\n\r\n"),
        Case(
            name: "205 to HEAD", status: "205 Reset Content", isHead: true,
            rest: "keep-alive\r\nContent-Length: 0\r\n\r\n"),
        Case(
            name: "205 for HTTP/1.0", status: "205 Reset Content", version: .http10, blocks: [],
            rest: "keep-alive\r\nContent-Length: 0\r\n\r\n"),
        Case(name: "304", status: "304 Not Modified", rest: "keep-alive\r\n\r\n"),
        Case(
            name: "304 keeps its length", status: "304 Not Modified", fields: [("Content-Length", "77")],
            rest: "keep-alive\r\nContent-Length: 77\r\n\r\n"),
        Case(
            name: "101 ends HTTP here", status: "101 Switching Protocols",
            fields: [("Connection", "upgrade"), ("Upgrade", "websocket")],
            rest: "upgrade\r\nUpgrade: websocket\r\n\r\n", leavesOpen: false),
    ]

    @Test(arguments: cases)
    func isWrittenAs(_ expected: Case) throws {
        var writer = ResponseWriter.begun(isHead: expected.isHead, version: expected.version)
        try writer.start(expected.status, expected.fields)
        writer.commit(total: expected.total)
        var text = ""
        for block in expected.blocks { text += writer.add(block).text }
        text += writer.finish().text
        #expect(
            text == head(expected.status, version: expected.version == .http11 ? "1.1" : "1.0") + expected.rest)
        #expect(writer.state == expected.state)
        #expect(writer.leavesConnectionOpen == expected.leavesOpen)
        #expect(writer.handedCount == text.unicodeScalars.count)
        #expect(writer.status == Int(expected.status.prefix(3)))
        // Whatever comes behind the end is not sent.
        #expect(writer.add("more") == .nothing)
        #expect(writer.finish() == .nothing)
    }

    /// Just as long as is copied, and a byte longer.
    @Test(arguments: [ResponseWriter.copyLimit, ResponseWriter.copyLimit + 1])
    func whatIsCopiedAndWhatIsNot(_ size: Int) throws {
        let block = String(repeating: "x", count: size)
        let isCopied = size == ResponseWriter.copyLimit
        let line = String(size, radix: 16) + "\r\n"

        var writer = ResponseWriter.begun()
        try writer.start()
        writer.commit(total: 2 * size)
        let length = head("200 OK") + "keep-alive\r\nContent-Length: \(2 * size)\r\n\r\n"
        #expect(writer.add(block) == (isCopied ? Sent(first: length + block) : Sent(first: length, body: block)))
        // What needs no framing is never copied once the head has left.
        #expect(writer.add(block) == Sent(body: block))

        writer = .begun()
        try writer.start()
        writer.commit()
        let chunked = head("200 OK") + "keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        for start in [chunked, ""] {
            #expect(
                writer.add(block)
                    == (isCopied
                        ? Sent(first: start + line + block + "\r\n")
                        : Sent(first: start + line, body: block, last: "\r\n")))
        }
        #expect(writer.finish() == Sent(first: "0\r\n\r\n"))
        #expect(writer.bodyCount == 2 * size)

        writer = .begun(version: .http10)
        try writer.start()
        writer.commit()
        let old = head("200 OK", version: "1.0") + "close\r\n\r\n"
        #expect(writer.add(block) == (isCopied ? Sent(first: old + block) : Sent(first: old, body: block)))
        #expect(writer.add(block) == Sent(body: block))
    }

    /// What may wait for other responses is all there, and small.
    @Test func wholeResponses() throws {
        func isWhole(
            _ total: Int?, _ block: String?, status: String = "200 OK", isHead: Bool = false
        ) throws -> Bool {
            var writer = ResponseWriter.begun(isHead: isHead)
            try writer.start(status)
            writer.commit(total: total)
            return block.map { writer.add($0).isWhole } ?? writer.finish().isWhole
        }
        #expect(try isWhole(5, "hello"))
        #expect(try isWhole(0, nil))
        #expect(try isWhole(0, ""))
        #expect(try isWhole(4, "hello"))
        #expect(try !isWhole(6, "hello"))
        #expect(try !isWhole(nil, "hello"))
        #expect(try !isWhole(nil, nil))
        #expect(try !isWhole(5, "hello", isHead: true))
        #expect(try !isWhole(5, "hello", status: "204 No Content"))
        #expect(try !isWhole(5000, String(repeating: "x", count: 5000)))
    }

    @Test func smallBlocksLeaveInOneRun() throws {
        var writer = ResponseWriter.begun()
        try writer.start()
        writer.commit(total: 6)
        for block in ["a", "", "bb", "ccc"] { writer.join(block) }
        #expect(
            writer.add("")
                == Sent(first: head("200 OK") + "keep-alive\r\nContent-Length: 6\r\n\r\nabbccc", isWhole: true))
        #expect(writer.bodyCount == 6)
        #expect(writer.finish() == .nothing)
        #expect(writer.state == .complete)
    }

    @Test func joinedBlocksAreCutAtTheLength() throws {
        var writer = ResponseWriter.begun()
        try writer.start("200 OK", [("Content-Length", "4")])
        writer.commit(total: 6)
        for block in ["a", "bb", "ccc", "dddd"] { writer.join(block) }
        #expect(writer.add("").first.hasSuffix("\r\n\r\nabbc"))
        #expect(writer.wantsMore == false)
    }

    @Test func joinedBlocksOfABodyThatIsNoneAreDropped() throws {
        var writer = ResponseWriter.begun(isHead: true)
        try writer.start()
        writer.commit(total: 6)
        writer.join("aaa")
        #expect(writer.add("") == Sent(first: head("200 OK") + "keep-alive\r\n\r\n"))
        #expect(writer.bodyCount == 0)
    }

    @Test func aLargeHeadGrowsItsBuffer() throws {
        var writer = ResponseWriter.begun()
        let value = String(repeating: "v", count: 200_000)
        try writer.start("200 OK", [("X", value)])
        writer.commit(total: 1)
        #expect(writer.add("y").first == head("200 OK") + "keep-alive\r\nContent-Length: 1\r\nX: \(value)\r\n\r\ny")
    }

    @Test func files() throws {
        var writer = ResponseWriter.begun()
        try writer.start("200 OK", [("Content-Length", "10")])
        #expect(writer.takesFile && writer.hasBody)
        writer.commit(total: 100)
        #expect(writer.add("").text == head("200 OK") + "keep-alive\r\nContent-Length: 10\r\n\r\n")
        let headCount = writer.handedCount
        #expect(writer.addFile(7) == 7)
        #expect(writer.takesFile == true)
        #expect(writer.addFile(7) == 3)
        #expect(writer.addFile(7) == 0)
        #expect(writer.bodyCount == 10 && writer.handedCount == headCount + 10)
        #expect(writer.finish() == .nothing)
        #expect(writer.state == .complete && writer.leavesConnectionOpen)
    }

    @Test func noFileBehindBlocksInABodyWithoutALength() throws {
        for version: HTTPVersion in [.http10, .http11] {
            var writer = ResponseWriter.begun(version: version)
            try writer.start()
            writer.commit()
            #expect(writer.takesFile == false)
            _ = writer.add("x")
            #expect(writer.takesFile == false)
            #expect(writer.addFile(5) == 0)
        }
    }

    @Test func noFileWhereThereIsNoBody() throws {
        for (status, isHead) in [("204 None", false), ("205 Reset", false), ("304 Same", false), ("200 OK", true)] {
            var writer = ResponseWriter.begun(isHead: isHead)
            try writer.start(status)
            #expect(writer.hasBody == false)
            writer.commit(total: 5)
            _ = writer.add("")
            #expect(writer.addFile(5) == 0)
            #expect(writer.finish() == .nothing)
            #expect(writer.state == .complete)
        }
    }
}
