@testable import Supervision

extension ModelServer {
    /// All that the future depends on. Process ids, ages and generations count by their order, times by their distance
    /// from now, and what lies further back than anything looks is equally far away.
    var signature: [Int64] {
        let supervisor = master.supervisor
        let roster = supervisor.roster
        let current = roster.current.number
        var words: [Int64] = []
        for worker in workers {
            words += [
                Int64(worker.generation - current), worker.isReady ? 1 : 0, worker.wantsToLeave ? 1 : 0,
                worker.offersMold ? 1 : 0, worker.isChosen ? 1 : 0,
                Int64(worker.state.rawValue), distance(worker.spawnedAt), distance(worker.askedAt),
                Int64(worker.terms.workers),
            ]
        }
        words += [
            -1_000_000, Int64(roster.wanted), roster.current.hasServed ? 1 : 0, Int64(roster.current.terms.workers),
            roster.current.isBroken ? 1 : 0,
        ]
        words += [Int64((roster.candidate?.number ?? current) - current), Int64(roster.candidate?.terms.workers ?? 0)]
        words += [roster.isRollingOut ? 1 : 0] + roster.outgoing.map { Int64($0 - current) }
        words += [-1_000_001, distance(supervisor.respawn.notBefore)] + respawnWords(supervisor.respawn)
        words.append(max(0, distance(supervisor.calmUntil)))
        words += phaseWords(supervisor.phase) + supervisor.news.map { Int64(truncatingIfNeeded: code($0)) }
        words += [
            Int64(budget.deaths), Int64(budget.wishes), Int64(budget.reloads), Int64(budget.changes),
            Int64(budget.offers),
        ]
        return words + [
            Int64(budget.stops), Int64(budget.failedForks), Int64(budget.waits), mayStop ? 1 : 0, isFinished ? 1 : 0,
            isBounded ? 1 : 0,
        ]
    }

    private func distance(_ time: UInt64) -> Int64 {
        // Nothing looks back further than this.
        let horizon = Int64(60 * second)
        return max(-horizon, min(Int64(bitPattern: time &- master.now), 2 * horizon))
    }

    private func respawnWords(_ policy: RespawnPolicy) -> [Int64] {
        policy.strikes == 0 ? [0, 0] : [Int64(min(policy.strikes, 12)), distance(policy.lastStrike)]
    }

    private func phaseWords(_ phase: Supervisor.Phase) -> [Int64] {
        switch phase {
        case .serving: return [0]
        case .finished: return [1]
        case .stopping(let shutdown, let announced):
            let stage: Int64 =
                switch shutdown.stage {
                case .graceful: 0
                case .quick: 1
                case .killing: 2
                }
            return [2, stage, distance(shutdown.deadline), announced ? 1 : 0]
        }
    }

    private func code(_ news: SupervisionAction) -> Int {
        switch news {
        case .adopt(let generation): generation - master.supervisor.generation
        case .abandon(let generation, _): 100 + generation - master.supervisor.generation
        default: 1000
        }
    }
}
