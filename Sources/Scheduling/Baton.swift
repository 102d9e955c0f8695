/// The right to touch the reactor. There is one per worker, and exactly one thread has it.
///
/// It is a capability: a function that changes the reactor takes it, so a thread without it cannot even say so.
/// `BatonHandOver` hands it from thread to thread.
public struct Baton: ~Copyable {
    /// Conjures the capability. Two places may: `BatonHandOver`, whose word decides which thread has it, and a host
    /// that drives a reactor from one thread for life (another event loop, a test) and so never has to share it.
    @inlinable public init() {}
}

/// What a runner has while the application runs: a claim on the baton that the pilot may void meanwhile.
public struct BatonLoan: ~Copyable {
    let word: BatonWord
}

/// The hand-over's state in one word, so that one compare-and-swap decides every hand-over.
///
/// ```
///            lend                       retake (pilot, after a tick)
///   held ───────────► lent ─────────────────────────► held by the pilot
///    ▲                 │                                 │         ▲
///    └─────────────────┘                           offer │         │ claim (no runner waits)
///          recover                                       ▼         │
///                                 held by a runner ◄──── on offer ─┘
///                                       │           take    ▲
///                                       └───────────────────┘
///                                          offer (before a long request, or as it leaves)
/// ```
///
/// `sequence` counts loans, so that the pilot tells one long request from many short ones; `epoch` counts retakings, so
/// that a runner's claim from before a retaking never matches again. 2^30 loans within one tick would be needed to
/// repeat a word. That a loan is expected to be long is said in the word as well, so that it cannot outlive the loan.
struct BatonWord: Equatable {
    var bits: UInt64

    private static let lentBit: UInt64 = 1
    private static let longBit: UInt64 = 2
    private static let sequenceUnit: UInt64 = 4
    private static let sequenceMask: UInt64 = 0xFFFF_FFFC
    private static let epochUnit: UInt64 = 1 << 32

    static let initial = BatonWord(bits: 0)

    var isLent: Bool { bits & Self.lentBit != 0 }

    /// Whether the runner expects the present loan to outlast a tick.
    var expectsLong: Bool { bits & Self.longBit != 0 }

    /// held → lent: the next loan.
    func lent(expectsLong: Bool) -> BatonWord {
        let sequence = (bits &+ Self.sequenceUnit) & Self.sequenceMask
        let loan = expectsLong ? Self.lentBit | Self.longBit : Self.lentBit
        return BatonWord(bits: bits & ~(Self.sequenceMask | Self.loanBits) | sequence | loan)
    }

    /// lent → held, by the runner that lent it.
    var recovered: BatonWord { BatonWord(bits: bits & ~Self.loanBits) }

    /// lent → held, by the pilot.
    var retaken: BatonWord { BatonWord(bits: (bits & ~Self.loanBits) &+ Self.epochUnit) }

    private static let loanBits = lentBit | longBit
}
