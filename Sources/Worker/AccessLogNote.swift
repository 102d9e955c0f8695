internal import HTTPServer
internal import HTTPWire
internal import Telemetry

/// What the access log keeps of an exchange until its line is made: numbers, and behind them the bytes that the line
/// may ask for.
///
/// ```
///   AccessLogNote │ head of the request, or what is needed of it │ head of the response │ entries of the environ
/// ```
///
/// The last two are there where the format asks for them. A note lies in the memory of a page, wherever the one before
/// ends, so it is read and written unaligned.
struct AccessLogNote {
    /// Bytes of all of it.
    var size: UInt32
    var headCount: UInt32
    var responseCount: UInt32
    /// Where the application's own fields begin in the response's head.
    var fieldsOffset: UInt32
    var status: UInt16
    var version: HTTPVersion?
    var isParsed: Bool
    /// The bytes of the head are all of it, and not what is needed.
    var hasWholeHead: Bool
    var hasGivenLength: Bool
    var client: ExchangeRecord.Client
    /// Nanoseconds.
    var duration: UInt64
    /// Seconds since 1970.
    var time: Int64
    var bodyCount: Int

    // Ranges over the bytes of the request's head.
    var line: ByteRange
    var method: ByteRange
    var target: ByteRange
    var path: ByteRange
    var query: ByteRange
    // The same, or empty; unless it `isParsed`, fields are looked for.
    var referer = ByteRange.empty
    var userAgent = ByteRange.empty
    var authorization = ByteRange.empty

    /// Numbers that are known only when the response has left.
    mutating func finish(_ record: borrowing ExchangeRecord) {
        duration = record.duration
        time = record.wallSeconds
        bodyCount = record.bodyCount
    }
}

/// Which bytes of an exchange a format's lines are made of.
struct AccessLogNeeds {
    /// A field of the request that is not among the noted ones.
    let wholeHead: Bool
    let responseHead: Bool
    let environ: Bool
    /// Bytes of each line that the format itself has.
    let literals: Int

    /// Bytes of a head that was not parsed that are looked at.
    private static let unparsedLimit = 16_384

    init(_ format: AccessLogFormat) {
        wholeHead = format.needsRequestFields
        responseHead = format.needsResponseFields
        environ = format.needsEnviron || format.needsAddress
        literals = format.literalCount
    }

    /// Appends a note.
    func write(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        excerpt: UnsafeRawBufferPointer, to out: inout TextBuffer
    ) {
        let line = record.line.whole
        let noted = record.noted ?? NotedFields()
        let isParsed = record.noted != nil
        let hasWholeHead = wholeHead || !isParsed
        let headCount =
            if hasWholeHead {
                isParsed ? head.count : min(head.count, Self.unparsedLimit)
            } else {
                Int(line.count &+ noted.referer.count &+ noted.userAgent.count &+ noted.authorization.count)
            }
        let responseCount = responseHead ? response.count : 0
        let start = MemoryLayout<AccessLogNote>.size
        let size = start &+ headCount &+ responseCount &+ excerpt.count
        var note = AccessLogNote(
            size: UInt32(truncatingIfNeeded: size), headCount: UInt32(truncatingIfNeeded: headCount),
            responseCount: UInt32(truncatingIfNeeded: responseCount),
            fieldsOffset: UInt32(truncatingIfNeeded: record.fieldsOffset),
            status: UInt16(truncatingIfNeeded: record.status), version: record.line.version, isParsed: isParsed,
            hasWholeHead: hasWholeHead, hasGivenLength: record.hasGivenLength, client: record.client,
            duration: record.duration, time: record.wallSeconds, bodyCount: record.bodyCount, line: line,
            method: record.line.method, target: record.line.target, path: record.line.path, query: record.line.query,
            referer: noted.referer, userAgent: noted.userAgent, authorization: noted.authorization)
        out.append(room: size) { base in
            var end = base + start
            func copy(_ bytes: UnsafeRawBufferPointer) {
                guard let source = bytes.baseAddress, bytes.count > 0 else { return }
                end.copyMemory(from: source, byteCount: bytes.count)
                end += bytes.count
            }
            /// Moves the bytes of a range here, and the range to them.
            func move(_ range: inout ByteRange) {
                guard range.start > 0 else { return }
                let place = UInt32(truncatingIfNeeded: end - base - start)
                copy(UnsafeRawBufferPointer(rebasing: head[range.offsets]))
                range.start = place
            }
            if hasWholeHead {
                copy(UnsafeRawBufferPointer(rebasing: head[..<headCount]))
            } else {
                copy(UnsafeRawBufferPointer(rebasing: head[line.offsets]))
                // The line stood behind an empty one, perhaps.
                if line.start > 0 { note.shiftLine(by: line.start) }
                move(&note.referer)
                move(&note.userAgent)
                move(&note.authorization)
            }
            copy(UnsafeRawBufferPointer(rebasing: response[..<responseCount]))
            copy(excerpt)
            base.storeBytes(of: note, as: AccessLogNote.self)
        }
    }
}

extension AccessLogNote {
    /// The line's bytes begin elsewhere.
    fileprivate mutating func shiftLine(by offset: UInt32) {
        func shifted(_ range: ByteRange) -> ByteRange {
            range.start >= offset ? ByteRange(start: range.start - offset, count: range.count) : range
        }
        line = shifted(line)
        method = shifted(method)
        target = shifted(target)
        path = shifted(path)
        query = shifted(query)
    }
}

/// Names and values of the environ in a note: each text behind its length, and the largest number for none.
enum AccessLogEntry {
    static func append(_ text: UnsafeRawBufferPointer?, to out: inout TextBuffer) {
        withUnsafeBytes(of: text.map { UInt32(truncatingIfNeeded: $0.count) } ?? .max) { out.append($0) }
        if let text { out.append(text) }
    }

    /// Takes the first one of those that are there.
    static func take(from entries: inout UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let size = entries.loadUnaligned(as: UInt32.self)
        let end = 4 + (size == .max ? 0 : Int(size))
        defer { entries = UnsafeRawBufferPointer(rebasing: entries[end...]) }
        return size == .max ? nil : UnsafeRawBufferPointer(rebasing: entries[4..<end])
    }
}
