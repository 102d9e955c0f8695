public import Platform
internal import Synchronization

/// Output and the disk: what is sent from a file that has to be read first, and what waits in a file.
extension Connection {
    /// Has the disk's thread send what `Outbox.flush` stopped for. For whoever has the output.
    func sendFromDisk() {
        guard let part = outbox.partForDisk else { return }
        isSocketAtDisk.store(true, ordering: .releasing)
        spool.submit(part.makeJob(on: self))
    }

    /// Closes the socket of a connection that was closed while the disk's thread had that, once it does not any more.
    /// For whoever has the baton, whenever a job comes back.
    func closeBehindDisk() {
        guard owesClose, !isSocketAtDisk.load(ordering: .acquiring) else { return }
        owesClose = false
        channel.close()
    }

    /// Bytes that wait in memory for the socket. For the runner.
    public var pendingMemoryCount: Int {
        guard hasPendingOutput else { return 0 }
        outputLock.lock()
        defer { outputLock.unlock() }
        return outbox.memoryCount
    }

    /// Whether the worker has more of its clients' bytes in memory than it should.
    public var isMemoryExceeded: Bool { outbox.isBudgetExceeded }

    /// Moves what waits in memory to a file, but for the first `keeping` bytes. Waits for the disk: for a runner that
    /// keeps nobody waiting meanwhile.
    ///
    /// - Parameter limit: bytes that the file may have (`response_spool`).
    /// - Returns: false where the file would become too large, or cannot be written.
    public func spill(keeping: Int, limit: Int, releasing releases: inout [UnsafeMutableRawPointer]) -> Bool {
        outputLock.lock()
        let (spill, file) = (outbox.beginSpill(keeping: keeping), outbox.spilled ?? SpoolFile(in: spool))
        outputLock.unlock()
        guard let spill else { return false }
        let offset = file.count
        let isWritten = spill.count <= limit - offset && write(spill, to: file)
        outputLock.lock()
        defer { outputLock.unlock() }
        if isWritten {
            outbox.endSpill(spill, in: file, at: offset, spool: spool, releasing: &releases)
        } else {
            outbox.cancelSpill(spill, releasing: &releases)
        }
        return isWritten
    }

    private func write(_ spill: Outbox.Spill, to file: SpoolFile) -> Bool {
        do throws(SpoolFault) {
            for segment in spill.segments {
                switch segment {
                case .copy(let store, let sent):
                    try file.write(UnsafeRawBufferPointer(rebasing: store.bytes[sent...]))
                case .bytes(let bytes, _): try file.write(bytes)
                case .file, .spilling: break
                }
            }
            return true
        } catch {
            return false
        }
    }

    // MARK: Waiting for the client

    /// The runner begins to wait for its client, or has waited.
    public func noteClientWait(began: Nanoseconds) { clientWaitBegan.store(began, ordering: .relaxed) }

    public func noteClientWait(ended: Nanoseconds) {
        let began = clientWaitBegan.exchange(0, ordering: .relaxed)
        if began != 0 { clientWait.wrappingAdd(ended &- began, ordering: .relaxed) }
    }

    /// The request is over.
    func forgetClientWait() {
        if clientWait.load(ordering: .relaxed) != 0 { clientWait.store(0, ordering: .relaxed) }
    }

    /// How long the runner has waited for its client, in all; nil while it does not wait.
    func clientWait(at now: Nanoseconds) -> Nanoseconds? {
        let began = clientWaitBegan.load(ordering: .relaxed)
        guard began != 0 else { return nil }
        return clientWait.load(ordering: .relaxed) &+ (now > began ? now &- began : 0)
    }
}
