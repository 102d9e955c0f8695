import Glibc
import Testing

@testable import Platform

/// Where a process writes its stacks to when it is asked by a signal (`StackFile.swift`).
@Suite struct StackFileTests {
    @Test func nobodyIsAskedWhoIsNotSetUpForIt() throws {
        let stacks = try StackFile()
        defer { stacks.file.close() }
        // Its default action would end this process.
        #expect(stacks.ask(Process.id) == nil)
    }

    @Test func oneThatWritesNothingIsNotWaitedForWithoutEnd() throws {
        let stacks = try StackFile()
        defer { stacks.file.close() }
        // SIGCONT does nothing to a process that runs.
        try listen(stacks, signal: SIGCONT)
        #expect(stacks.ask(Process.id) == nil)
    }

    @Test func aProcessThatIsGone() throws {
        let stacks = try StackFile()
        defer { stacks.file.close() }
        try listen(stacks, signal: SIGCONT)
        #expect(stacks.ask(Int32.max) == nil)
    }

    @Test func thisProcessIsNotStopped() {
        #expect(!Process.isStopped(Process.id))
        #expect(!Process.isStopped(Int32.max))
    }

    private func listen(_ stacks: StackFile, signal: Int32) throws {
        var word = UInt64(UInt32(bitPattern: signal)) << 32 | UInt64(Process.id)
        #expect(pwrite(stacks.file.rawValue, &word, 8, off_t(StackPort.listenerOffset)) == 8)
    }
}
