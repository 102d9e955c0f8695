// libFuzzer target: the writer of response heads. Built by scripts/fuzz together with Sources/HTTPWire.
//
// The input is lines: a status, then names and values by turns. Whatever an application passes, the head must not hold
// one line more than the fields that were accepted.

nonisolated(unsafe) private var writer = ResponseHeadWriter()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponse(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = Array(UnsafeRawBufferPointer(start: data, count: size))
    // 0x1E separates: it is legal nowhere, and leaves CR and LF to the values.
    var parts = input.split(separator: 0x1E, omittingEmptySubsequences: false).map(Array.init)
    let flags = parts.removeFirst().first ?? 0
    guard !parts.isEmpty else { return 0 }
    let status = parts.removeFirst()
    writer.reset()
    var fieldCount = 0
    do throws(ResponseFault) {
        try writer.begin(status: status.span.bytes)
        while parts.count >= 2 {
            let name = parts.removeFirst()
            let value = parts.removeFirst()
            try writer.append(name: name.span.bytes, value: value.span.bytes)
            fieldCount += 1
        }
    } catch {
        return 0
    }
    let framings: [ResponseFraming] = [.asIs, .contentLength(size), .chunked, .none]
    writer.finish(
        version: flags & 1 == 0 ? .http11 : .http10, isPersistent: flags & 2 == 0,
        framing: framings[Int(flags >> 2 & 3)], date: HTTPDate(unixSeconds: size))
    let head = Array(writer.bytes)
    let body: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x21]
    writer.appendBody(body.span.bytes)
    precondition(Array(writer.bytes) == head + body)

    var lines: [ArraySlice<UInt8>] = []
    var rest = head[...]
    while let end = rest.firstIndex(of: 0x0A) {
        precondition(end > rest.startIndex && rest[end - 1] == 0x0D)
        let line = rest[rest.startIndex..<(end - 1)]
        precondition(!line.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F })
        lines.append(line)
        rest = rest[(end + 1)...]
    }
    precondition(rest.isEmpty && lines.last!.isEmpty)
    precondition(lines.dropLast().allSatisfy { !$0.isEmpty })
    // The status line, at most four fields of the server's own, the empty line.
    precondition(lines.count <= fieldCount + 6)
    precondition(lines.filter { $0.starts(with: Array("Content-Length:".utf8)) }.count <= 1)
    return 0
}
