import Platform
import Testing

/// Every order in which the steps of runners and the pilot can fall, see `Explorer`.
@Suite struct BatonModelTests {
    /// `parting` has millions of states with two runners, see below.
    @Test(arguments: ModelState.Event.allCases.filter { $0 != .parting })
    func isRightInEveryOrder(_ event: ModelState.Event) {
        // What a runner leaves undone that dies shows while another is busy.
        let explorer = Explorer(runners: 2, clients: event == .none || event == .failure ? 2 : 1, event: event)
        #expect(explorer.fault == nil)
        // It went somewhere.
        #expect(explorer.stateCount > 100_000)
    }

    /// The runner is Python's main thread: the process ends with it.
    @Test(arguments: ModelState.Event.allCases.filter { $0 != .failure })
    func isRightInEveryOrderWithOneRunner(_ event: ModelState.Event) {
        let explorer = Explorer(runners: 1, clients: 2, event: event)
        #expect(explorer.fault == nil)
        #expect(explorer.stateCount > 10_000)
    }

    /// `make sanitize` asks for what takes a while.
    private static let isThorough = Process.environment("MONOCEROS_THOROUGH") != nil

    /// The same with a client more.
    @Test(.enabled(if: isThorough), arguments: ModelState.Event.allCases)
    func isRightInEveryOrderWithMoreClients(_ event: ModelState.Event) {
        let clients: UInt8 =
            switch event {
            case .parting: 1
            case .none, .relay: 3
            default: 2
            }
        #expect(Explorer(runners: 2, clients: clients, event: event).fault == nil)
    }

    /// An old loan is told from the present one by the epoch alone.
    @Test(.enabled(if: isThorough)) func isRightWhenLoansLookAlike() {
        #expect(Explorer(runners: 2, clients: 2, flaw: .sequenceIgnored).fault == nil)
    }

    /// The model would notice.
    @Test(arguments: Flaw.faults)
    func aFlawIsFound(_ flaw: Flaw) {
        let fault = Explorer(runners: flaw.runners, clients: 2, event: flaw.event, flaw: flaw).fault
        #expect(fault?.hasPrefix(flaw.consequence) == true, "\(fault ?? "no fault")")
    }
}
