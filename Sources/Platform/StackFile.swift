internal import CSystem
internal import Glibc

/// A file in memory without a name that a signal handler in C (`faulthandler`, python/monoceros/stacks.py) writes the
/// stacks of a process to, whatever keeps Python's lock there. Made before the fork, so that all processes of a server
/// have it. One process at a time asks: others wait for their turn.
public struct StackFile: Sendable {
    public let file: Descriptor

    /// - Throws: `SystemError` when the system gives no descriptor.
    public init() throws(SystemError) {
        file = Descriptor(rawValue: try systemCall("memfd_create") { csystem_memory_file("monoceros-stacks") })
    }

    init(_ file: Descriptor) {
        self.file = file
    }

    /// How long the handler has, in nanoseconds. It needs the CPU for a moment, and no lock.
    private static let patience = Nanoseconds.milliseconds(300)
    private static let glance = Nanoseconds.milliseconds(5)

    /// Has a process write where its threads are, and waits for it.
    ///
    /// - Returns: nil when it has written nothing in time, nobody there has ever been set up for it, or others ask.
    public func ask(_ process: ProcessID) -> [UInt8]? {
        guard let signal else { return nil }
        return inTurn(patience: Self.patience) { askAlone(process, signal) } ?? nil
    }

    /// Runs `body` while no other process asks: it would read this one's answer, or half of it. A turn ends with its
    /// process. For one thread of each process.
    ///
    /// - Parameter patience: how long to wait for it, in nanoseconds.
    /// - Returns: nil when the turn did not come in time.
    public func inTurn<Result>(patience: Nanoseconds, _ body: () -> Result) -> Result? {
        let end = Clock.now() + patience
        while csystem_set_process_lock(file.rawValue, true) != 0 {
            guard Clock.now() < end else { return nil }
            Thread.sleep(Self.glance)
        }
        defer { _ = csystem_set_process_lock(file.rawValue, false) }
        return body()
    }

    private func askAlone(_ process: ProcessID, _ signal: Signal) -> [UInt8]? {
        rewind()
        guard (try? Process.send(signal, to: process)) != nil else { return nil }
        let end = Clock.now() + Self.patience
        var former = 0
        while Clock.now() < end {
            Thread.sleep(Self.glance)
            let count = writtenCount
            // It writes line by line, without a pause.
            if count > 0, count == former { break }
            former = count
        }
        let bytes = written()
        return bytes.isEmpty ? nil : bytes
    }

    /// The signal for it, as whoever has set itself up for it has written; nil before.
    private var signal: Signal? {
        let word = StackPort.word(of: file, at: StackPort.listenerOffset)
        return word == 0 ? nil : Signal(rawValue: Int32(truncatingIfNeeded: word >> 32))
    }

    /// Where the signal handler begins to write.
    func rewind() { _ = lseek(file.rawValue, 0, SEEK_SET) }

    /// Bytes that it has written.
    var writtenCount: Int { min(max(0, Int(lseek(file.rawValue, 0, SEEK_CUR))), StackPort.answerLimit) }

    func written() -> [UInt8] { StackPort.bytes(of: file, at: 0, count: writtenCount) }
}
