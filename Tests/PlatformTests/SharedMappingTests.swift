import Glibc
import Synchronization
import Testing

@testable import Platform

@Suite struct SharedMappingTests {
    @Test func startsAsZerosInWholePages() throws {
        let mapping = try SharedMapping(byteCount: 5000)
        defer { mapping.unmap() }
        #expect(mapping.byteCount >= 5000 && mapping.byteCount % 4096 == 0)
        #expect(Int(bitPattern: mapping.base) % 4096 == 0)
        #expect(UnsafeRawBufferPointer(start: mapping.base, count: mapping.byteCount).allSatisfy { $0 == 0 })
    }

    @Test(arguments: [0, -1, Int.max]) func refusesSizesThatCannotBe(byteCount: Int) {
        #expect(throws: SystemError.self) { try SharedMapping(byteCount: byteCount) }
    }

    @Test func namesWhatFailed() {
        let error = #expect(throws: SystemError.self) { try SharedMapping(byteCount: 1 << 60) }
        #expect(error == SystemError(.noMemory, call: "mmap"))
    }

    /// What a child wrote is there for its parent, also after it was killed.
    @Test func survivesTheDeathOfAWriter() throws {
        let mapping = try SharedMapping(byteCount: 4096)
        defer { mapping.unmap() }
        let word = mapping.base.assumingMemoryBound(to: Atomic<UInt64>.self)
        // Once before, so that the child, which has none of the other threads, has nothing to set up.
        word.pointee.wrappingAdd(0, ordering: .relaxed)
        guard case .parent(let child) = try Process.fork() else {
            while true { word.pointee.wrappingAdd(1, ordering: .relaxed) }
        }
        let deadline = Clock.now() + .seconds(10)
        while word.pointee.load(ordering: .relaxed) == 0, Clock.now() < deadline { _ = usleep(1000) }
        try Process.send(.kill, to: child)
        while try Process.reap(child) == nil { _ = usleep(1000) }
        let last = word.pointee.load(ordering: .relaxed)
        #expect(last > 0)
        #expect(word.pointee.load(ordering: .relaxed) == last)
    }
}
