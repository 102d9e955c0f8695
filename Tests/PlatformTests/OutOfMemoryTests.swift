import Testing

@testable import Platform

@Suite struct OutOfMemoryTests {
    @Test func findsTheGroupOfEitherVersion() {
        #expect(
            OutOfMemory.candidates("0::/system.slice/app.service\n") == [
                "/sys/fs/cgroup/system.slice/app.service/memory.events", "/sys/fs/cgroup/memory.events",
            ])
        #expect(
            OutOfMemory.candidates("5:devices:/x\n4:memory:/box/1\n2:cpu,cpuacct:/\n") == [
                "/sys/fs/cgroup/memory/box/1/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control",
            ])
        #expect(OutOfMemory.candidates("7:cpu,memory:/\n").first == "/sys/fs/cgroup/memory/memory.oom_control")
    }

    @Test(arguments: ["", "nonsense", "a:b", "1:name=systemd:/"])
    func findsNothingElse(_ groups: String) {
        #expect(OutOfMemory.candidates(groups) == [])
    }

    @Test func readsTheCount() {
        #expect(OutOfMemory.count(of: "low 0\noom 3\noom_kill 2\noom_group_kill 0\n") == 2)
        #expect(OutOfMemory.count(of: "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n") == 5)
        #expect(OutOfMemory.count(of: "oom_kill_disable 0\n") == nil)
        #expect(OutOfMemory.count(of: "oom_kill many\n") == nil)
    }

    @Test func theMachineCounts() {
        #expect(OutOfMemory().machineCount != nil)
    }
}
