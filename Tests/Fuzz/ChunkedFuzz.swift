// libFuzzer target: the decoder of chunked bodies. Built by scripts/fuzz together with Sources/HTTPWire.

private struct Decoded: Equatable {
    var data: [UInt8] = []
    var consumed: Int?
    var fault: WireFault?
}

/// Decodes in pieces of a fixed size.
private func decode(_ bytes: RawSpan, _ policy: RequestPolicy, pieceSize: Int) -> Decoded {
    var decoder = ChunkedDecoder(policy: policy)
    var result = Decoded()
    var start = 0
    while start < bytes.byteCount {
        let end = min(start + pieceSize, bytes.byteCount)
        let piece = bytes.extracting(start..<end)
        var offset = 0
        reading: while true {
            do throws(WireError) {
                switch try decoder.next(piece, from: offset) {
                case .more:
                    break reading
                case .data(let range):
                    precondition(!range.isEmpty && range.offsets.lowerBound >= offset)
                    precondition(range.offsets.upperBound <= piece.byteCount)
                    for at in range.offsets { result.data.append(piece.unsafeLoad(fromByteOffset: at, as: UInt8.self)) }
                    offset = range.offsets.upperBound
                case .end(let consumed):
                    precondition(consumed >= offset && consumed <= piece.byteCount)
                    precondition(decoder.total == result.data.count)
                    result.consumed = start + consumed
                    return result
                }
            } catch {
                precondition((400...599).contains(error.status))
                result.fault = error.fault
                return result
            }
        }
        start = end
    }
    return result
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: size).bytes
    var small = RequestPolicy()
    small.limitRequestFieldSize = 20
    small.limitRequestFields = 2
    small.limitRequestBody = 64
    small.permitObsoleteFolding = true
    small.stripHeaderSpaces = true
    small.headerMap = .refuse
    for policy in [RequestPolicy(), small] {
        let whole = decode(bytes, policy, pieceSize: max(size, 1))
        for pieceSize in [1, 2, 3, 7] {
            precondition(decode(bytes, policy, pieceSize: pieceSize) == whole, "the body depends on how it is cut")
        }
    }
    return 0
}
