/// Writes the head of a response, and a small body behind it, as one run of bytes in a buffer that is reused.
///
/// Whether the connection stays open and where the body ends is known last, when the application's fields are long
/// written. So room is left in front of them, and `finish` writes the status line and the server's own fields backwards
/// into it, up to the first field:
///
///     |  status, then unused  | status line, Server, Date, ... | application's fields | body |
///     0                     start                            front                         end
///
/// The order of calls is `reset`, `begin`, `append` for each field, `finish`, `appendBody`.
public struct ResponseHeadWriter: ~Copyable {
    /// The most bytes that the fields of one response may have: far more than any client accepts.
    public static let headSizeLimit = 1 << 20

    private var buffer: UnsafeMutableRawBufferPointer
    /// Where the first field of the application stands.
    private var front = Self.minimumFront
    private var end = Self.minimumFront
    private var start = Self.minimumFront
    private var statusLength = 0

    /// 100...999, or 0 before `begin`.
    public private(set) var statusCode = 0
    /// The application's Content-Length, in bytes.
    public private(set) var contentLength: Int?
    /// The application asked for `Connection: close`. The field itself is dropped.
    public private(set) var applicationWantsClose = false
    /// The application asked for `Connection: upgrade`.
    public private(set) var applicationWantsUpgrade = false

    /// Room for all that `finish` puts in front of the fields, except for the reason phrase: 160 bytes at most.
    private static let prefixRoom = 192
    private static let minimumFront = 256

    /// - Parameter capacity: bytes to begin with; the buffer grows as needed.
    public init(capacity: Int = 4096) {
        buffer = .allocate(byteCount: max(capacity, Self.minimumFront * 2), alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Forgets the response. The buffer stays, unless one response made it unusually large.
    public mutating func reset() {
        if buffer.count > 1 << 17 {
            buffer.deallocate()
            buffer = .allocate(byteCount: 4096, alignment: 16)
        }
        front = Self.minimumFront
        start = front
        end = front
        statusLength = 0
        statusCode = 0
        contentLength = nil
        applicationWantsClose = false
        applicationWantsUpgrade = false
    }

    /// Sets the status, given as `ddd` or `ddd reason`. RFC 9112 §4.
    public mutating func begin(status: RawSpan) throws(ResponseFault) {
        precondition(statusCode == 0 && end == front, "begin() comes first, and once")
        let count = status.byteCount
        guard count >= 3, status[0].isDigit, status[1].isDigit, status[2].isDigit, status[0] != UInt8(ascii: "0"),
            count == 3 || status[3] == .space, FieldSyntax.isFieldValue(status)
        else { throw .invalidStatus }
        guard count <= 8192 else { throw .headTooLarge }
        statusCode =
            Int(status[0] &- 48) &* 100 &+ Int(status[1] &- 48) &* 10 &+ Int(status[2] &- 48)
        statusLength = count
        front = max(Self.minimumFront, Self.prefixRoom + count)
        start = front
        end = front
        reserve(0)
        status.withUnsafeBytes { buffer.copyMemory(from: $0) }
    }

    /// Adds a field of the application. RFC 9110 §5.
    ///
    /// White space around the value is removed. Fields that are the server's to send are dropped: those of one hop,
    /// `Server`, `Date`. Content-Length is noted and sent by `finish`.
    ///
    /// - Parameter value: Latin-1 text.
    public mutating func append(name: RawSpan, value: RawSpan) throws(ResponseFault) {
        precondition(statusCode != 0 && start == front, "append() comes after begin() and before finish()")
        guard ResponseFieldName.isToken(name) else { throw .invalidFieldName }
        guard FieldSyntax.isFieldValue(value) else { throw .invalidFieldValue }
        let value = value.extracting(FieldSyntax.trimmed(value))
        switch ResponseFieldName.role(of: name) {
        case .application: break
        case .contentLength: return try noteContentLength(value)
        case .connection:
            noteConnection(value)
            return
        case .upgrade:
            // The one upgrade that applications do by themselves, over the socket that they are given.
            guard FieldSyntax.hasPrefix(value, from: 0, to: value.byteCount, "websocket"), value.byteCount == 9 else {
                return
            }
        case .dropped: return
        }
        // Neither length can be large enough for the sum to overflow: both are in memory.
        let count = name.byteCount &+ value.byteCount &+ 4
        guard end &- front &+ count <= Self.headSizeLimit else { throw .headTooLarge }
        reserve(count)
        put(name)
        put(":", " ")
        put(value)
        put("\r", "\n")
    }

    private mutating func noteContentLength(_ value: borrowing RawSpan) throws(ResponseFault) {
        guard case .value(let length)? = FieldSyntax.decimal(value, from: 0, to: value.byteCount) else {
            throw .invalidContentLength
        }
        guard contentLength == nil else { throw .duplicateContentLength }
        contentLength = length
    }

    private mutating func noteConnection(_ value: borrowing RawSpan) {
        var list = TokenList(from: 0, to: value.byteCount)
        while let option = list.next(value) {
            if FieldSyntax.equals(value, option, "close") { applicationWantsClose = true }
            if FieldSyntax.equals(value, option, "upgrade") { applicationWantsUpgrade = true }
        }
    }

    /// Whether the status allows a body. RFC 9110 §6.4.1, §15.3.6.
    public var allowsBody: Bool { !forbidsContentLength && statusCode != 304 && statusCode != 205 }

    /// RFC 9110 §8.6: no Content-Length on 1xx and 204.
    private var forbidsContentLength: Bool { statusCode < 200 || statusCode == 204 }

    /// Completes the head: status line, Server, Date, Connection, framing, and the empty line behind the fields.
    ///
    /// - Parameter isPersistent: whether the connection stays open; ``applicationWantsClose`` is the caller's to heed.
    public mutating func finish(version: HTTPVersion, isPersistent: Bool, framing: ResponseFraming, date: HTTPDate) {
        precondition(statusCode != 0 && start == front, "finish() comes after begin(), and once")
        reserve(2)
        put("\r", "\n")

        start = front
        switch framing {
        case .asIs:
            if let contentLength, !forbidsContentLength { prependContentLength(contentLength) }
        case .contentLength(let length):
            if !forbidsContentLength { prependContentLength(length) }
        case .chunked:
            // RFC 9112 §6.1: no Transfer-Encoding on 1xx and 204 either.
            if !forbidsContentLength { prepend("Transfer-Encoding: chunked\r\n") }
        case .none:
            break
        }
        if applicationWantsUpgrade {
            // After 101 the connection is no longer one of HTTP, so nothing is said of its end.
            if isPersistent || statusCode == 101 {
                prepend("\r\nConnection: upgrade\r\n")
            } else {
                prepend("\r\nConnection: upgrade, close\r\n")
            }
        } else if isPersistent {
            prepend("\r\nConnection: keep-alive\r\n")
        } else {
            prepend("\r\nConnection: close\r\n")
        }
        start &-= HTTPDate.byteCount
        date.write(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
        prepend("\r\nServer: monoceros\r\nDate: ")
        // RFC 9112 §4: the space behind the code stands even where the reason phrase is empty.
        if statusLength == 3 {
            start &-= 1
            buffer[start] = .space
        }
        // The status stands at the very front of the buffer; the two runs may overlap.
        start &-= statusLength
        (buffer.baseAddress! + start).copyMemory(from: buffer.baseAddress!, byteCount: statusLength)
        if version == .http11 { prepend("HTTP/1.1 ") } else { prepend("HTTP/1.0 ") }
    }

    /// Appends a body, or the beginning of one, behind the finished head.
    public mutating func appendBody(_ body: RawSpan) {
        precondition(start < front, "appendBody() comes after finish()")
        reserve(body.byteCount)
        put(body)
    }

    /// The finished head and what was appended to it. Valid until the next call that writes.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }

    /// Where the first field of the application stands in ``bytes``.
    public var fieldsOffset: Int { front &- start }

    /// Bytes of ``bytes``.
    public var byteCount: Int { end &- start }

    // MARK: The buffer

    /// Makes room for `count` bytes at the end. All writes behind it are unchecked copies.
    @inline(__always)
    private mutating func reserve(_ count: Int) {
        if buffer.count &- end < count { grow(by: count) }
    }

    @inline(never)
    private mutating func grow(by count: Int) {
        let wider = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(buffer.count * 2, end + count), alignment: 16)
        wider.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<min(end, buffer.count)]))
        buffer.deallocate()
        buffer = wider
    }

    @inline(__always)
    private mutating func put(_ bytes: borrowing RawSpan) {
        let count = bytes.byteCount
        bytes.withUnsafeBytes { source in
            if count > 0 { (buffer.baseAddress! + end).copyMemory(from: source.baseAddress!, byteCount: count) }
        }
        end &+= count
    }

    @inline(__always)
    private mutating func put(_ first: Unicode.Scalar, _ second: Unicode.Scalar) {
        buffer.baseAddress!.storeBytes(of: UInt8(ascii: first), toByteOffset: end, as: UInt8.self)
        buffer.baseAddress!.storeBytes(of: UInt8(ascii: second), toByteOffset: end &+ 1, as: UInt8.self)
        end &+= 2
    }

    @inline(__always)
    private mutating func prepend(_ text: StaticString) {
        start &-= text.utf8CodeUnitCount
        (buffer.baseAddress! + start).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    }

    @inline(__always)
    private mutating func prependContentLength(_ length: Int) {
        prepend("\r\n")
        precondition(length >= 0)
        var rest = UInt(length)
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            start &-= 1
            buffer[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest > 0
        prepend("Content-Length: ")
    }
}
