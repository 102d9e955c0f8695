internal import HTTPServer
internal import PythonBridge
internal import Transport

/// From blocks of the application to the writer, and from the writer to the socket.
extension Response {
    /// The `write` callable.
    func write(_ data: PyPointer, _ gil: inout GIL) throws(PythonError) {
        guard isUnderWay else {
            throw gil.raise(.runtimeError, "write() was called after the request had ended")
        }
        // PEP 3333: what is written is on its way while the application goes on, for however long.
        mayDefer = false
        try send(data, total: nil, &gil)
        if isUnderWay, writer.isLost { throw gil.raise(.brokenPipeError, "the client closed the connection") }
    }

    /// Sends a block of the body; an empty one sends nothing, not even the head.
    ///
    /// - Parameters:
    ///   - block: held by the caller until this returns.
    ///   - total: bytes of the whole body, where they are known.
    func send(_ block: PyPointer, total: Int?, _ gil: inout GIL) throws(PythonError) {
        guard gil.isBytes(block) else {
            throw gil.raise(.typeError, "the body must consist of bytes objects")
        }
        let bytes = try gil.bytes(of: block)
        guard bytes.count > 0 else { return }
        try commit(total: total, gil)
        post(writer.add(bytes), of: block, &gil)
        try makeRoom(&gil)
    }

    /// Sends a whole body of several small blocks, all of them `bytes`, in one run with the head.
    ///
    /// - Parameter total: bytes of the whole body, at least one.
    func sendJoined(_ blocks: PyPointer, total: Int, _ gil: inout GIL) throws(PythonError) {
        try commit(total: total, gil)
        for index in 0..<gil.count(blocks) {
            writer.join(try gil.bytes(of: try gil.item(blocks, index)))
        }
        postHead(&gil)
    }

    /// Sends the head, if it waits.
    func postHead(_ gil: inout GIL) {
        post(writer.add(UnsafeRawBufferPointer(start: nil, count: 0)), of: nil, &gil)
    }

    /// Completes the head, unless that is done.
    func commit(total: Int?, _ gil: borrowing GIL) throws(PythonError) {
        guard !writer.isCommitted else { return }
        guard writer.isStarted else {
            throw gil.raise(.runtimeError, "the application sent a body without calling start_response()")
        }
        var mayPersist = !outlook.isLeaving && !mustClose
        if let stream, stream.cancelContinue() || stream.fault != nil { mayPersist = false }
        writer.commit(total: total, mayPersist: mayPersist, date: currentDate())
    }

    /// Ends the body after the last block.
    func complete(_ gil: inout GIL) throws(PythonError) {
        // Who took the connection owes no response.
        if isSurrendered, !writer.isStarted { return }
        try commit(total: 0, gil)
        post(writer.complete(), of: nil, &gil)
    }

    /// Answers with an error page, unless it is too late for one.
    func refuse(_ refusal: Refusal, _ gil: inout GIL) {
        post(writer.refuse(refusal, date: currentDate()), of: nil, &gil)
    }
}
