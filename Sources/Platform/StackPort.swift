internal import CSystem
internal import Glibc

/// By which one process asks another for its stacks: a bell, and a file in memory without a name for the answer. Made
/// before the fork, so that all processes of a server have all of them.
///
/// Whoever answers may be stuck, so there are two ways, and a place in the file for each:
///
/// ```
///   0        what a signal handler in C writes, from here to the file's position
///   4 MiB    what a thread of Python's writes that hears the bell
///   6 MiB    its count of bytes plus one, written last; 0 while there is no answer
///   7 MiB    who listens: the process id in the low 32 bits, the number of the signal in the high
/// ```
public struct StackPort: Sendable {
    public let bell: Waker
    public let file: Descriptor

    public static let answerOffset = 4 << 20
    public static let countOffset = 6 << 20
    public static let listenerOffset = 7 << 20
    /// Bytes of an answer that are kept.
    public static let answerLimit = 1 << 20

    /// - Throws: `SystemError` when the system gives no descriptors.
    public init() throws(SystemError) {
        bell = try Waker()
        file = try StackFile().file
    }

    /// What a signal handler in C writes to.
    public var stacks: StackFile { StackFile(file) }

    // MARK: Asking

    /// Who listens, and to which signal; nil for nobody.
    public var listener: (process: ProcessID, signal: Signal)? {
        let word = word(at: Self.listenerOffset)
        guard word != 0 else { return nil }
        return (
            ProcessID(truncatingIfNeeded: word & 0xFFFF_FFFF), Signal(rawValue: Int32(truncatingIfNeeded: word >> 32))
        )
    }

    /// Asks the thread that hears the bell.
    public func ring() {
        store(0, at: Self.countOffset)
        bell.wake()
    }

    /// What that thread wrote; nil while it has not.
    public func answer() -> [UInt8]? {
        let word = word(at: Self.countOffset)
        guard word > 0 else { return nil }
        return bytes(at: Self.answerOffset, count: Int(min(word - 1, UInt64(Self.answerLimit))))
    }

    /// Where the signal handler begins to write.
    public func rewind() { stacks.rewind() }

    /// Bytes that it has written.
    public var writtenCount: Int { stacks.writtenCount }

    public func written() -> [UInt8] { stacks.written() }

    // MARK: Behind it

    private func word(at offset: Int) -> UInt64 { Self.word(of: file, at: offset) }

    static func word(of file: Descriptor, at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        let count = withUnsafeMutableBytes(of: &word) { (try? file.read(into: $0, at: offset)) ?? 0 }
        return count == 8 ? word : 0
    }

    private func store(_ word: UInt64, at offset: Int) {
        var word = word
        _ = pwrite(file.rawValue, &word, 8, off_t(offset))
    }

    private func bytes(at offset: Int, count: Int) -> [UInt8] { Self.bytes(of: file, at: offset, count: count) }

    static func bytes(of file: Descriptor, at offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
            done = (try? file.read(into: room, at: offset)) ?? 0
        }
    }
}
