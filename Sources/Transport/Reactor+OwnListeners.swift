internal import Platform

/// Listeners that this process alone has (`reuse_port`). When one is closed, the kernel resets what waits in it, and
/// also what is about to: connections of which the last segment of the handshake has not come yet.
extension Reactor {
    /// Nanoseconds that handshakes under way have. Whoever begins one meanwhile tries again a second later, so it is
    /// no longer than a far client needs.
    private static let handshakeTime = Nanoseconds.milliseconds(100)

    /// Takes what waits in them, while others go on with it, and closes them when nothing more can come. To be asked
    /// again until then.
    func drainOwnListeners() {
        guard !ownListeners.isEmpty else { return }
        guard let end = ownListenersEnd else {
            for index in ownListeners { try? ListeningSocket.refuseHandshakes(listeners[index].descriptor) }
            ownListenersEnd = now + Self.handshakeTime
            schedule(wakeAt: now + Self.handshakeTime)
            for index in ownListeners { takeAll(of: index) }
            return
        }
        let isOver = now >= end
        ownListeners.removeAll { index in
            guard takeAll(of: index), isOver else { return false }
            listeners[index].descriptor.close()
            return true
        }
        if !ownListeners.isEmpty { schedule(wakeAt: isOver ? now + Sharing.retryInterval : end) }
    }

    /// Takes what waits in them, as far as there is room, and closes them.
    func endOwnListeners() {
        for index in ownListeners {
            takeAll(of: index)
            listeners[index].descriptor.close()
        }
        ownListeners = []
    }

    /// - Returns: false while there is no room for what waits.
    @discardableResult
    private func takeAll(of index: Int) -> Bool {
        do throws(SystemError) {
            while true {
                guard !admission.isFull(count: connections.count) else { return false }
                guard try takeFromBacklog(of: index) != nil else { return true }
            }
        } catch {
            // The kernel looks for a descriptor first, and only then whether anybody is there.
            let isAwaited = listeners[index].descriptor.waitUntilReadable(milliseconds: 0)
            return !(isAwaited && DescriptorFailure(error.errno).isShortage)
        }
    }
}
