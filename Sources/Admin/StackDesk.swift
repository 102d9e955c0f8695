public import Platform

/// Asks workers for the stacks of their threads, whichever worker was asked by the operator.
///
/// First in the way that is safe at any time: a thread of Python's in that worker takes Python's lock for a moment and
/// writes what every thread is doing. Where no answer comes, somebody keeps the lock to himself, in C code or for ever:
/// then a signal handler in C (`faulthandler`) writes what it finds without the lock. Nobody runs Python meanwhile who
/// could change it.
public struct StackDesk: Sendable {
    /// By cell.
    public let ports: [StackPort]

    public init(ports: [StackPort]) {
        self.ports = ports
    }

    /// Milliseconds for each of the two.
    static let patience = 150

    enum Answer {
        /// The thread of Python's answered.
        case orderly([UInt8])
        /// The signal handler did.
        case forced([UInt8])
        /// The worker did not set itself up to be asked, yet or any more.
        case notListening
        /// It is stopped, or starved.
        case silent
        /// Others ask it, and have done so for long.
        case beingAsked
    }

    /// How long to wait for others who ask the same worker: two of them can need so long.
    private static let turnPatience = Nanoseconds.milliseconds(1000)

    func ask(cell: Int, process: ProcessID) -> Answer {
        guard ports.indices.contains(cell) else { return .notListening }
        let port = ports[cell]
        return port.stacks.inTurn(patience: Self.turnPatience) { ask(port, process) } ?? .beingAsked
    }

    private func ask(_ port: StackPort, _ process: ProcessID) -> Answer {
        guard let listener = port.listener, listener.process == process else { return .notListening }
        port.ring()
        for _ in 0..<Self.patience {
            if let answer = port.answer() { return .orderly(answer) }
            Thread.sleep(.milliseconds(1))
        }
        port.rewind()
        guard (try? Process.send(listener.signal, to: process)) != nil else { return .notListening }
        var former = 0
        for _ in 0..<(Self.patience / 5) {
            Thread.sleep(.milliseconds(5))
            let count = port.writtenCount
            // It writes line by line, without a pause.
            if count > 0, count == former { return .forced(port.written()) }
            former = count
        }
        return .silent
    }
}
