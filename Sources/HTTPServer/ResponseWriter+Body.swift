public import HTTPWire

/// From blocks of a body to bytes in their framing. RFC 9112 §6, §7.
extension ResponseWriter {
    // MARK: The head

    /// Finishes the head: where the body ends, and whether the connection stays open, is decided here.
    ///
    /// - Parameters:
    ///   - total: bytes of the whole body, where they are known; a Content-Length of the application's goes before it.
    ///   - mayPersist: false if something that the request's traits do not say forbids it: the server drains, or nobody
    ///     knows whether the rest of the request's body comes.
    public mutating func commit(total: Int?, mayPersist: Bool, date: HTTPDate) {
        guard state == .started else {
            precondition(state == .lost(.started), "commit() comes after finishStart(), and once")
            state = .lost(.committed)
            // Nobody gets it. Logs and hooks are told what it would have been.
            head.finish(
                version: request.version, isPersistent: false, framing: head.contentLength == nil ? .none : .asIs,
                date: date)
            return
        }
        let end: BodyEnd
        let field: ResponseFraming
        if !hasBody {
            end = .none
            // RFC 9110 §15.3.6: a 205 says that it has none.
            field = head.statusCode == 205 ? .contentLength(0) : .asIs
            // Behind 101 stands another protocol: nothing there is a request.
            if head.statusCode == 101 { persists = false }
        } else if let length = head.contentLength {
            end = .length(length)
            promisedCount = length
            field = .asIs
        } else if let total {
            end = .length(total)
            promisedCount = total
            field = .contentLength(total)
        } else if request.version == .http11 {
            end = .chunked
            field = .chunked
        } else {
            end = .untilClose
            field = .none
            persists = false
        }
        if head.applicationWantsClose || !mayPersist { persists = false }
        head.finish(version: request.version, isPersistent: persists, framing: field, date: date)
        state = .committed(end)
    }

    /// Whether status and method allow a body. Known once the response is started.
    public var hasBody: Bool { head.allowsBody && !request.isHead }

    // MARK: Blocks

    /// A block of the body. What goes beyond the body's length is cut off, and a head that waits leaves with it.
    ///
    /// A small block is copied behind the head or into its chunk. A large one, and any that needs neither, is not
    /// copied.
    public mutating func add(_ block: UnsafeRawBufferPointer) -> ResponseRuns {
        let runs: ResponseRuns
        switch state {
        case .committed(let end): runs = addFirst(block, end)
        case .sending(let end): runs = addNext(block, end)
        default: return .none
        }
        handedCount &+= runs.count
        return runs
    }

    @inline(__always)
    private mutating func addFirst(_ block: UnsafeRawBufferPointer, _ end: BodyEnd) -> ResponseRuns {
        if end == .chunked, block.count > 0 { return addFirstChunk(block) }
        let body = take(block, end)
        guard body.count <= Self.copyLimit else { return ResponseRuns(first: head.bytes, body: body) }
        if body.count > 0 { head.appendBody(body.bytes) }
        return ResponseRuns(first: head.bytes, isWholeResponse: state == .sending(.length(0)))
    }

    private mutating func addNext(_ block: UnsafeRawBufferPointer, _ end: BodyEnd) -> ResponseRuns {
        let body = take(block, end)
        guard end == .chunked, body.count > 0 else { return ResponseRuns(body: body) }
        let chunk = frame(body)
        if body.count <= Self.copyLimit { return ResponseRuns(first: chunk) }
        return ResponseRuns(first: chunk, body: body, last: ChunkFraming.dataEnd.bytes)
    }

    private mutating func addFirstChunk(_ block: UnsafeRawBufferPointer) -> ResponseRuns {
        let body = take(block, .chunked)
        head.appendBody(frame(body).bytes)
        if body.count <= Self.copyLimit { return ResponseRuns(first: head.bytes) }
        return ResponseRuns(first: head.bytes, body: body, last: ChunkFraming.dataEnd.bytes)
    }

    /// As much of a block as still belongs to the body.
    @inline(__always)
    private mutating func take(_ block: UnsafeRawBufferPointer, _ end: BodyEnd) -> UnsafeRawBufferPointer {
        var body = block
        switch end {
        case .none:
            body = .none
            state = .sending(.none)
        case .length(let remaining):
            if block.count > remaining { body = UnsafeRawBufferPointer(rebasing: block[..<remaining]) }
            state = .sending(.length(remaining &- body.count))
        case .chunked, .untilClose:
            state = .sending(end)
        }
        bodyCount &+= body.count
        return body
    }

    /// A chunk's size line; with a small block, all of the chunk.
    private func frame(_ block: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var count = ChunkFraming.writeSizeLine(block.count, into: chunk)
        if block.count <= Self.copyLimit {
            UnsafeMutableRawBufferPointer(rebasing: chunk[count...]).copyMemory(from: block)
            count &+= block.count
            UnsafeMutableRawBufferPointer(rebasing: chunk[count...]).copyMemory(from: ChunkFraming.dataEnd.bytes)
            count &+= ChunkFraming.dataEnd.utf8CodeUnitCount
        }
        return UnsafeRawBufferPointer(rebasing: chunk[..<count])
    }

    /// Copies a block of a body of several small ones behind the head, which goes on waiting: all of them leave in one
    /// run. A body without a length has no such run, and its blocks are passed over.
    ///
    /// - Precondition: the head is committed and waits.
    public mutating func join(_ block: UnsafeRawBufferPointer) {
        guard case .committed(.length(let remaining)) = state else { return }
        let body = UnsafeRawBufferPointer(rebasing: block[..<min(block.count, remaining)])
        guard body.count > 0 else { return }
        head.appendBody(body.bytes)
        bodyCount &+= body.count
        state = .committed(.length(remaining &- body.count))
    }

    /// Whether the next part of the body may be one that the kernel sends from a file. Behind blocks in a body without
    /// a length it may not: there is no place for its framing.
    public var takesFile: Bool {
        switch state {
        case .committed(.chunked), .committed(.untilClose), .sending(.chunked), .sending(.untilClose): false
        default: true
        }
    }

    /// A part of the body that the kernel sends from a file.
    ///
    /// - Parameter available: bytes of the file.
    /// - Returns: how many of them belong to the body.
    public mutating func addFile(_ available: Int) -> Int {
        guard case .sending(.length(let remaining)) = state else { return 0 }
        let count = min(remaining, available)
        state = .sending(.length(remaining &- count))
        bodyCount &+= count
        handedCount &+= count
        return count
    }

    /// Whether an interim response may be sent. Behind the head it would be taken for part of the body, and HTTP/1.0
    /// has none. RFC 9110 §15.2.
    public var mayHint: Bool { (state == .waiting || state == .started) && request.version == .http11 }

    /// A whole interim response, made by `EarlyHintsWriter`: nothing unless ``mayHint``.
    public mutating func hint(_ response: UnsafeRawBufferPointer) -> ResponseRuns {
        guard mayHint else { return .none }
        handedCount &+= response.count
        return ResponseRuns(first: response)
    }

    // MARK: The end

    /// The application has no more. A head that waits leaves, and so does what ends a chunked body.
    public mutating func complete() -> ResponseRuns {
        // Nearly always all has left.
        if state == .sending(.length(0)) {
            state = .complete
            return .none
        }
        return completeWithMore()
    }

    @inline(never)
    private mutating func completeWithMore() -> ResponseRuns {
        var runs = ResponseRuns.none
        if case .committed(let end) = state { runs = addFirst(.none, end) }
        guard case .sending(let end) = state else { return .none }
        switch end {
        case .none, .untilClose, .length(0):
            state = .complete
        case .length(let missing):
            state = .short(missing: missing)
        case .chunked:
            state = .complete
            if runs.count == 0 {
                runs = ResponseRuns(first: ChunkFraming.bodyEnd.bytes)
            } else {
                head.appendBody(ChunkFraming.bodyEnd.bytes.bytes)
                runs = ResponseRuns(first: head.bytes)
            }
        }
        handedCount &+= runs.count
        return runs
    }
}

extension StaticString {
    /// They live as long as the process.
    fileprivate var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
