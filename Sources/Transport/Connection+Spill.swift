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
        guard let (spill, file) = beginSpill(keeping: keeping) else { return false }
        let offset = file.count
        let isWritten = spill.count <= limit - offset && write(spill, to: file)
        endSpill(spill, in: file, at: isWritten ? offset : nil, releasing: &releases)
        return isWritten
    }

    /// Takes out what is to be moved. Nil where there is nothing.
    func beginSpill(keeping: Int) -> (Outbox.Spill, SpoolFile)? {
        outputLock.lock()
        defer { outputLock.unlock() }
        guard let spill = outbox.beginSpill(keeping: keeping) else { return nil }
        return (spill, outbox.spilled ?? SpoolFile(in: spool))
    }

    /// Puts back what was taken out.
    ///
    /// - Parameter offset: where it is in the file; nil where it could not be written.
    func endSpill(
        _ spill: Outbox.Spill, in file: SpoolFile, at offset: Int?, releasing releases: inout [UnsafeMutableRawPointer]
    ) {
        outputLock.lock()
        if let offset {
            outbox.endSpill(spill, in: file, at: offset, spool: spool, releasing: &releases)
        } else {
            outbox.cancelSpill(spill, releasing: &releases)
        }
        outputLock.unlock()
        // The reactor may have heard that the socket takes more, and have had nothing to send: it is not told again of
        // its own accord. Where the poller cannot be told the runner's next block has the rest sent, or its end.
        if hasPendingOutput { _ = watchOutput() }
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
