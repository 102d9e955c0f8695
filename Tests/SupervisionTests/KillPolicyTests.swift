import Supervision
import Testing

@Suite struct KillPolicyTests {
    @Test func theGroupsCountDecides() {
        var policy = KillPolicy(MemoryKills(group: 4, machine: 9))
        #expect(policy.verdict(MemoryKills(group: 4, machine: 12)) == .somebody)
        #expect(policy.verdict(MemoryKills(group: 5, machine: 13)) == .group(5))
        #expect(policy.verdict(MemoryKills(group: 5, machine: 13)) == .somebody)
    }

    @Test func eachKillSpeaksForOneWorker() {
        var policy = KillPolicy(MemoryKills(group: 0))
        #expect(policy.verdict(MemoryKills(group: 2)) == .group(2))
        #expect(policy.verdict(MemoryKills(group: 2)) == .group(2))
        #expect(policy.verdict(MemoryKills(group: 2)) == .somebody)
    }

    @Test func withoutAGroupTheMachineDecides() {
        var policy = KillPolicy(MemoryKills(machine: 9))
        #expect(policy.verdict(MemoryKills(machine: 9)) == .somebody)
        #expect(policy.verdict(MemoryKills(machine: 10)) == .machine(10))
    }

    @Test func nobodyKnowsWhereNobodyCounts() {
        var policy = KillPolicy(MemoryKills())
        #expect(policy.verdict(MemoryKills()) == .unknown)
    }

    @Test func aCountThatBeginsOrGoesBackIsNoKill() {
        var policy = KillPolicy(MemoryKills(machine: 3))
        #expect(policy.verdict(MemoryKills(group: 7, machine: 3)) == .somebody)
        #expect(policy.verdict(MemoryKills(group: 2, machine: 3)) == .somebody)
    }
}
