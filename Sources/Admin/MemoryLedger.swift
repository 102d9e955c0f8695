internal import Platform
internal import Telemetry

/// What workers have of the machine's memory, as it was a moment ago.
///
/// For the proportional part the kernel goes through all pages of a process, and lets it change none of its mappings
/// meanwhile. So nobody has it do so again and again, however often the figures are asked for.
struct MemoryLedger {
    /// How old a figure may be.
    static let validity = Nanoseconds.seconds(1)

    private var entries: [ProcessID: (memory: ProcessMemory, read: Nanoseconds)] = [:]
    private let read: (ProcessID) -> ProcessMemory?

    /// - Parameter read: asks the system; nil for a process that is gone.
    init(read: @escaping (ProcessID) -> ProcessMemory? = ProcessMemory.of) {
        self.read = read
    }

    /// The memory of those workers that there are still.
    ///
    /// - Parameters:
    ///   - workers: their cells and processes. Others are forgotten.
    ///   - now: the monotonic clock.
    mutating func memory(
        of workers: [(cell: Int, process: ProcessID)], at now: Nanoseconds
    ) -> [MetricsInput.Memory] {
        var kept: [ProcessID: (memory: ProcessMemory, read: Nanoseconds)] = [:]
        let found = workers.compactMap { worker -> MetricsInput.Memory? in
            if let entry = entries[worker.process], now < entry.read + Self.validity {
                kept[worker.process] = entry
            } else if let memory = read(worker.process) {
                kept[worker.process] = (memory, now)
            }
            guard let memory = kept[worker.process]?.memory else { return nil }
            return MetricsInput.Memory(
                cell: worker.cell, resident: memory.resident, proportional: memory.proportional)
        }
        entries = kept
        return found
    }
}
