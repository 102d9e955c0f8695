import Platform
import Testing

/// Every order in which the steps of two runners and the pilot can fall, see `Explorer`.
@Suite struct BatonModelTests {
    @Test(arguments: ModelState.Event.allCases)
    func isRightInEveryOrder(_ event: ModelState.Event) {
        let explorer = Explorer(clients: event == .none ? 2 : 1, event: event)
        #expect(explorer.fault == nil)
        // It went somewhere.
        #expect(explorer.stateCount > 100_000)
    }

    /// The same with a client more. It takes a minute, so `make sanitize` asks for it.
    @Test(.enabled(if: Process.environment("MONOCEROS_THOROUGH") != nil), arguments: ModelState.Event.allCases)
    func isRightInEveryOrderWithMoreClients(_ event: ModelState.Event) {
        #expect(Explorer(clients: event == .none ? 3 : 2, event: event).fault == nil)
    }

    /// An old loan is told from the present one by the epoch alone.
    @Test func isRightWhenLoansLookAlike() {
        #expect(Explorer(clients: 2, flaw: .sequenceIgnored).fault == nil)
    }

    /// The model would notice.
    @Test(arguments: Flaw.faults)
    func aFlawIsFound(_ flaw: Flaw) {
        let fault = Explorer(clients: 2, flaw: flaw).fault ?? Explorer(clients: 1, event: .drain, flaw: flaw).fault
        #expect(fault?.hasPrefix(flaw.consequence) == true, "\(fault ?? "no fault")")
    }
}
