// libFuzzer target: the server between wire and application. Built by scripts/fuzz together with Sources/HTTPServer.
//
// Anything as a head that is refused, and as the steps of a response: what is written must be what was given, in its
// framing.
internal import HTTPWire

private let date = HTTPDate(unixSeconds: 0)

/// What was sent of a response.
private struct Output {
    var bytes: [UInt8] = []

    mutating func take(_ runs: ResponseRuns) {
        for run in [runs.first, runs.body, runs.last] { bytes += run }
    }
}

private func refuse(_ head: RawSpan) {
    let line = RequestLine(scanning: head)
    for range in [line.whole, line.method, line.target] {
        precondition(range.offsets.upperBound <= head.byteCount, "a range outside of the bytes")
    }
    let page = Refusal(WireError(.invalidRequestLine), for: ErrorAudience(head: head)).response(date: date)
    precondition(page.starts(with: "HTTP/1.1 400 Bad Request\r\n".utf8))
}

private func respond(_ steps: UnsafeRawBufferPointer) {
    guard steps.count > 2 else { return }
    var writer = ResponseWriter()
    var output = Output()
    let traits = steps[0]
    writer.begin(
        RequestTraits(isHead: traits & 1 == 1, version: traits & 2 == 2 ? .http10 : .http11, mayPersist: true))
    let statuses = ["200 OK", "204 None", "205 Reset", "304 Same", "404 None", "101 Switch"]
    let status = Array(statuses[Int(traits >> 2) % statuses.count].utf8)
    do throws(ResponseFault) {
        try writer.beginStart(status: status.span.bytes)
        if traits & 0x80 != 0 {
            let length = Array("\(Int(steps[1]) * 64)".utf8)
            try writer.append(name: Array("Content-Length".utf8).span.bytes, value: length.span.bytes)
        }
        try writer.finishStart()
    } catch {
        precondition(error == .interimStatus && traits & 2 == 2, "good fields were refused")
        output.take(writer.refuse(.applicationError(for: ErrorAudience()), date: date))
        precondition(writer.state == .refused)
        return
    }
    writer.commit(total: nil, mayPersist: true, date: date)
    let headCount = writer.hasBody ? nil : 0
    let data = [UInt8](repeating: 0x61, count: 64 * 255)
    for step in steps.dropFirst(2).prefix(64) {
        data.withUnsafeBytes { data in
            output.take(writer.add(UnsafeRawBufferPointer(rebasing: data[..<(Int(step) * 64)])))
        }
    }
    output.take(writer.complete())
    precondition(output.bytes.count == writer.handedCount, "bytes that were not counted")
    if let headCount { precondition(writer.bodyCount == headCount, "a body where there is none") }
    if case .short(let missing) = writer.state {
        return precondition(missing > 0 && writer.bodyCount + missing == writer.promisedCount)
    }
    precondition(writer.state == .complete)
    guard let end = output.bytes.indices.first(where: { output.bytes[$0...].starts(with: "\r\n\r\n".utf8) }) else {
        preconditionFailure("a head without an end")
    }
    let body = Array(output.bytes[(end + 4)...])
    guard output.bytes[..<end].contains("chunked") else {
        precondition(body.count == writer.bodyCount, "a body that is not what was given")
        return
    }
    var decoder = ChunkedDecoder(policy: RequestPolicy())
    var offset = 0
    var count = 0
    while true {
        switch try? decoder.next(body.span.bytes, from: offset) {
        case .data(let range):
            count += range.offsets.count
            offset = range.offsets.upperBound
        case .end(let consumed):
            precondition(consumed == body.count && count == writer.bodyCount, "chunks that are not what was given")
            return
        case .more, nil: preconditionFailure("chunks that cannot be read")
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func contains(_ text: String) -> Bool {
        let text = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: text) }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzServer(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: size)
    refuse(bytes.bytes)
    respond(bytes)
    return 0
}
