// libFuzzer target: the request parser. Built by scripts/fuzz together with Sources/HTTPWire.

/// Strict as installed, and with everything permitted under limits that short inputs can reach.
nonisolated(unsafe) private var parsers: [(policy: RequestPolicy, trusted: Bool)] = {
    var lax = RequestPolicy()
    lax.limitRequestLine = 40
    lax.limitRequestFields = 4
    lax.limitRequestFieldSize = 48
    lax.limitRequestBody = 1000
    lax.permitMissingHost = true
    lax.permitObsoleteFolding = true
    lax.stripHeaderSpaces = true
    lax.permitUnconventionalMethod = true
    lax.permitUnconventionalVersion = true
    lax.casefoldMethod = true
    lax.headerMap = .refuse
    return [(RequestPolicy(), false), (lax, true)]
}()

private enum Answer: Equatable {
    case more
    case fault(WireFault)
    case head([UInt64])
}

/// The answer to some bytes; on the way it checks what must hold for every answer.
private func answer(_ parser: inout RequestParser, _ bytes: RawSpan, trusted: Bool) -> Answer {
    do throws(WireError) {
        guard try parser.parse(bytes, fromTrustedPeer: trusted) == .head else { return .more }
    } catch {
        precondition((400...599).contains(error.status))
        return .fault(error.fault)
    }
    let size = bytes.byteCount
    precondition(parser.head.byteCount > 0 && parser.head.byteCount <= size)
    var digest: [UInt64] = []
    func add(_ range: ByteRange, isValue: Bool = false) {
        precondition(range.isEmpty || range.offsets.upperBound <= parser.head.byteCount)
        digest.append(UInt64(range.start) << 32 | UInt64(range.count))
        for position in range.offsets {
            let byte = bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
            precondition(byte != 0 && byte != 0x7F, "control character in a range")
            precondition(isValue || (0x21...0x7E).contains(byte), "name or target with a byte outside 0x21...0x7E")
        }
    }
    add(parser.head.method)
    add(parser.head.target)
    add(parser.head.path)
    add(parser.head.query)
    add(parser.head.authority)
    for position in 0..<parser.head.fields.count {
        let field = parser.head.fields[position]
        precondition(!field.name.isEmpty)
        add(field.name)
        add(field.value, isValue: true)
        digest.append(UInt64(field.kind.rawValue) << 1 | (field.isFolded ? 1 : 0))
        if !field.isFolded {
            for at in field.value.offsets {
                let byte = bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self)
                precondition(byte != 0x0A && byte != 0x0D, "line break in a field value")
            }
        }
    }
    if case .length(let length) = parser.head.framing {
        precondition(length >= 0)
        digest.append(UInt64(length))
    }
    digest.append(UInt64(parser.head.byteCount))
    digest.append(parser.head.isPersistent ? 1 : 0)
    digest.append(parser.head.expectsContinue ? 1 : 0)
    digest.append(UInt64(parser.head.schemeOverride.rawValue))
    return .head(digest)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequest(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: size).bytes
    for (policy, trusted) in parsers {
        var parser = RequestParser(policy: policy)
        let whole = answer(&parser, bytes, trusted: trusted)
        // However it is cut: every prefix is undecided or gets the very same answer, and once decided it stays so.
        var isDecided = false
        for length in 0...min(size, 300) {
            let part = answer(&parser, bytes.extracting(0..<length), trusted: trusted)
            precondition(part == whole || (part == .more && !isDecided), "the answer depends on how the bytes are cut")
            isDecided = isDecided || part != .more
        }
    }
    return 0
}
