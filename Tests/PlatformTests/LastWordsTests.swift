import Glibc
import Platform
import Testing

@Suite struct LastWordsTests {
    /// A pipe whose ends are closed again.
    private static func withPipe(_ body: (_ reading: Descriptor, _ writing: Descriptor) -> Void) {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        body(Descriptor(rawValue: ends[0]), Descriptor(rawValue: ends[1]))
    }

    private static func setBlocking(_ blocks: Bool, _ descriptor: Descriptor) {
        #expect(fcntl(descriptor.rawValue, F_SETFL, blocks ? 0 : O_NONBLOCK) == 0)
    }

    /// Fills it; returns how many bytes are in it.
    private static func fill(_ writing: Descriptor) -> Int {
        setBlocking(false, writing)
        defer { setBlocking(true, writing) }
        var count = 0
        for size in [4096, 1] {
            let bytes = [UInt8](repeating: 0x2E, count: size)
            while case let done = Glibc.write(writing.rawValue, bytes, size), done > 0 { count += done }
        }
        return count
    }

    private static func read(_ count: Int, from reading: Descriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        let done = Glibc.read(reading.rawValue, &bytes, count)
        return String(decoding: bytes.prefix(max(done, 0)), as: UTF8.self)
    }

    @Test func aPipeWithRoomTakesThem() {
        Self.withPipe { reading, writing in
            #expect(LastWords.write("farewell\n", to: writing, within: .seconds(60)))
            #expect(Self.read(100, from: reading) == "farewell\n")
        }
    }

    @Test func aFullPipeDoesNotKeepTheProcess() {
        Self.withPipe { reading, writing in
            let count = Self.fill(writing)
            #expect(count > 0)
            #expect(!LastWords.write("farewell\n", to: writing, within: .milliseconds(20)))
            // The thread that was left behind goes on where it is, and the pipe still blocks for everybody else.
            #expect(fcntl(writing.rawValue, F_GETFL) & O_NONBLOCK == 0)
            var seen = ""
            while !seen.hasSuffix("farewell\n") { seen += Self.read(65_536, from: reading) }
            #expect(seen.utf8.count == count + 9)
        }
    }

    @Test func whatCannotBeWrittenIsNot() {
        #expect(!LastWords.write("farewell\n", to: Descriptor(rawValue: -1), within: .seconds(60)))
    }
}
