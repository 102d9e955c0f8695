import Testing

@testable import Platform

@Suite struct MemoryUseTests {
    @Test func readsWhatTheKernelTells() {
        #expect(MemoryUse.resident(statm: "2512 1200 800 300 0 400 0\n", pageSize: 4096) == 1200 * 4096)
        #expect(MemoryUse.proportional(rollup: "5581-7ffc [rollup]\nRss:  884 kB\nPss:   385 kB\n") == 385 << 10)
    }

    @Test(arguments: ["", "1", "a b", "1 9223372036854775807 3"])
    func takesNoOtherSizes(_ text: String) {
        #expect(MemoryUse.resident(statm: text, pageSize: 4096) == nil)
    }

    @Test(arguments: ["", "Rss: 1 kB\n", "Pss:\n", "Pss: many kB\n", "Pss: 9223372036854775807 kB\n"])
    func takesNoOtherShares(_ text: String) {
        #expect(MemoryUse.proportional(rollup: text) == nil)
    }

    @Test func thisProcessHasSome() throws {
        let resident = try #require(MemoryUse.resident())
        let share = try #require(MemoryUse.proportional())
        #expect(share > 100_000 && resident > 100_000)
    }
}
