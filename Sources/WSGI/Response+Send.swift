internal import HTTPWire
internal import Platform
internal import PythonBridge
internal import Transport

/// From blocks of the application to bytes on the socket.
extension Response {
    /// Blocks up to this size are copied behind the head, or into a chunk, and leave as one run of bytes.
    static let copyLimit = 4096

    // MARK: Blocks

    /// The `write` callable.
    func write(_ data: PyPointer, _ gil: inout GIL) throws(PythonError) {
        guard connection != nil else {
            throw gil.raise(.runtimeError, "write() was called after the request had ended")
        }
        // PEP 3333: what is written is on its way while the application goes on, for however long.
        mayDefer = false
        try send(data, total: nil, &gil)
        if isBroken { throw gil.raise(.brokenPipeError, "the client closed the connection") }
    }

    /// Sends a block of the body; an empty one sends nothing, not even the head.
    ///
    /// - Parameter total: bytes of the whole body, where they are known.
    func send(_ block: PyPointer, total: Int?, _ gil: inout GIL) throws(PythonError) {
        guard gil.isBytes(block) else {
            throw gil.raise(.typeError, "the body must consist of bytes objects")
        }
        let bytes = try gil.bytes(of: block)
        guard bytes.count > 0 else { return }
        try commit(total: total, gil)
        transmit(bytes, owner: block, &gil)
        try makeRoom(&gil)
    }

    /// Sends a whole body of several small blocks, all of them `bytes`, in one run with the head.
    ///
    /// - Parameter total: bytes of the whole body, at least one.
    func sendJoined(_ blocks: PyPointer, total: Int, _ gil: inout GIL) throws(PythonError) {
        try commit(total: total, gil)
        for index in 0..<gil.count(blocks) {
            guard case .length(let remaining) = framing, remaining > 0 else { break }
            let bytes = try gil.bytes(of: try gil.item(blocks, index))
            let body = UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, remaining)])
            head.appendBody(body.bytes)
            framing = .length(remaining - body.count)
        }
        headIsSent = true
        postHead(&gil)
    }

    /// Completes the head, unless that is done.
    func commit(total: Int?, _ gil: borrowing GIL) throws(PythonError) {
        guard !isCommitted else { return }
        guard isStarted else {
            throw gil.raise(.runtimeError, "the application sent a body without calling start_response()")
        }
        let field: ResponseFraming
        if !head.allowsBody || isHead {
            framing = .none
            field = .asIs
            // Behind 101 stands another protocol: nothing there is a request.
            if head.statusCode == 101 { persists = false }
        } else if let length = head.contentLength {
            framing = .length(length)
            promisedCount = length
            field = .asIs
        } else if let total {
            framing = .length(total)
            promisedCount = total
            field = .contentLength(total)
        } else if version == .http11 {
            framing = .chunked
            field = .chunked
        } else {
            framing = .untilClose
            field = .none
            persists = false
        }
        if head.applicationWantsClose || state.isDraining { persists = false }
        if let stream, stream.cancelContinue() || stream.fault != nil { persists = false }
        head.finish(version: version, isPersistent: persists, framing: field, date: currentDate())
        isCommitted = true
    }

    /// Ends the body after the last block.
    func complete(_ gil: inout GIL) throws(PythonError) {
        if !isCommitted {
            try commit(total: 0, gil)
            transmit(UnsafeRawBufferPointer(start: nil, count: 0), owner: nil, &gil)
        }
        switch framing {
        case .none, .untilClose, .length(0): break
        case .length(let missing):
            isAborted = true
            // Where the client left, it is not the application that came short.
            if !isBroken { missingCount = missing }
        case .chunked:
            let end: StaticString = "0\r\n\r\n"
            post(UnsafeRawBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount), &gil)
        }
    }

    // MARK: Bytes

    /// Whether the head is finished and not sent.
    private var headWaits: Bool { head.byteCount > 0 && isCommitted && !headIsSent }

    /// Sends the head, if it waits, and as much of `bytes` as the framing allows.
    func transmit(_ bytes: UnsafeRawBufferPointer, owner: PyPointer?, _ gil: inout GIL) {
        guard !isBroken else { return }
        var body = bytes
        switch framing {
        case .none:
            body = UnsafeRawBufferPointer(rebasing: bytes[..<0])
        case .length(let remaining):
            if bytes.count > remaining { body = UnsafeRawBufferPointer(rebasing: bytes[..<remaining]) }
            framing = .length(remaining - body.count)
        case .chunked, .untilClose:
            break
        }
        if framing == .chunked, body.count > 0 {
            transmitChunk(body, owner: owner, &gil)
        } else if headWaits {
            headIsSent = true
            if body.count <= Self.copyLimit {
                if body.count > 0 { head.appendBody(body.bytes) }
                postHead(&gil)
            } else {
                post(head.bytes, body, owner: owner, &gil)
            }
        } else if body.count > 0 {
            post(UnsafeRawBufferPointer(start: nil, count: 0), body, owner: owner, &gil)
        }
    }

    /// Sends the head and the small body behind it. A response that is complete with that may wait for others.
    @inline(__always)
    private func postHead(_ gil: inout GIL) {
        if mayDefer, framing == .length(0), let connection, connection.deferResponse(head.bytes) {
            handedCount &+= head.byteCount
        } else {
            post(head.bytes, &gil)
        }
    }

    /// RFC 9112 §7.1: the size line, the data, and a line end, together with the head if that waits.
    private func transmitChunk(_ body: UnsafeRawBufferPointer, owner: PyPointer?, _ gil: inout GIL) {
        let withHead = headWaits
        headIsSent = true
        chunk.removeAll(keepingCapacity: true)
        chunk.append(contentsOf: String(body.count, radix: 16).utf8)
        chunk.append(contentsOf: Self.lineEnd)
        let isSmall = body.count <= Self.copyLimit
        if isSmall {
            chunk.append(contentsOf: body)
            chunk.append(contentsOf: Self.lineEnd)
        }
        Self.lineEnd.withUnsafeBytes { lineEnd in
            chunk.withUnsafeBytes { chunk in
                if withHead { head.appendBody(chunk.bytes) }
                let first = withHead ? head.bytes : chunk
                if isSmall {
                    post(first, &gil)
                } else {
                    post(first, body, lineEnd, owner: owner, &gil)
                }
            }
        }
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    /// Sends bytes of ours.
    func post(_ bytes: UnsafeRawBufferPointer, _ gil: inout GIL) {
        guard let connection, !isBroken else { return }
        handedCount &+= bytes.count
        output(&gil) { (releases, _) throws(OutputFailure) in try connection.transmit(bytes, releasing: &releases) }
    }

    /// Sends bytes of ours around bytes of the application's, in one call. The application's are not copied.
    private func post(
        _ first: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
        _ last: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0), owner: PyPointer?,
        _ gil: inout GIL
    ) {
        guard let connection, !isBroken else { return }
        handedCount &+= first.count + body.count + last.count
        output(&gil) { (releases, gil) throws(OutputFailure) in
            try connection.transmit(
                first, body, last, owner: owner.map { UnsafeMutableRawPointer($0) }, releasing: &releases,
                retaining: { _ in if let owner { gil.retain(owner) } })
        }
    }

    /// Has the connection send something, and deals with what comes of that.
    @inline(__always)
    func output(
        _ gil: inout GIL,
        _ send: (inout [UnsafeMutableRawPointer], borrowing GIL) throws(OutputFailure) -> Void
    ) {
        var releases: [UnsafeMutableRawPointer] = []
        do throws(OutputFailure) {
            try send(&releases, gil)
        } catch {
            if error.cause == .fileEnded, case .length(let unsent) = framing {
                missingCount = error.unsentCount + unsent
            }
            isBroken = true
            lostCount &+= error.unsentCount
        }
        if !releases.isEmpty { gil.release(owners: releases) }
    }

    /// Holds the application up while more waits for the client than should. One large last block is no reason to: it is in
    /// memory anyhow, and the reactor sends the rest of it.
    ///
    /// The lock is given up for the wait alone: other threads of the application may call `write` meanwhile, or the request
    /// may end.
    ///
    /// - Throws: `PythonError` when a signal handler raised.
    func makeRoom(_ gil: inout GIL) throws(PythonError) {
        guard let mine = connection, mine.pendingOutputCount > bufferLimit, framing != .length(0) else {
            return
        }
        var unsent = mine.unsentByteCount
        var deadline = Clock.now() + writeTimeout
        while connection === mine, !isBroken, mine.pendingOutputCount > bufferLimit / 2 {
            let start = Clock.now()
            let isWritable = gil.released { mine.waitUntilWritable(milliseconds: Self.waitSlice) }
            noteClientWait(Clock.now() - start)
            try gil.checkSignals()
            guard connection === mine, !isBroken else { return }
            if isWritable { flush(&gil) }
            guard writeTimeout > 0, !isBroken, Clock.now() >= deadline else { continue }
            // As the reactor does it for a response that is made (`Reactor.expire`).
            let left = mine.unsentByteCount
            guard left <= unsent - Timeouts.progress else { return fail(&gil) }
            unsent = left
            deadline = Clock.now() + writeTimeout
        }
    }

    /// Milliseconds between two looks after signals and the time.
    private static let waitSlice: Int32 = 1000

    /// Sends what the socket takes by now.
    func flush(_ gil: inout GIL) {
        guard let connection else { return }
        output(&gil) { (releases, _) throws(OutputFailure) in try connection.sendPendingOutput(releasing: &releases) }
    }

    /// The client took nothing for too long.
    func fail(_ gil: inout GIL) {
        isBroken = true
        var releases: [UnsafeMutableRawPointer] = []
        lostCount &+= connection?.abandonOutput(releasing: &releases) ?? 0
        gil.release(owners: releases)
    }
}
