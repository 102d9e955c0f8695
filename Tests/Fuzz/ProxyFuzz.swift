// libFuzzer target: the PROXY protocol. Built by scripts/fuzz together with Sources/ProxyWire.

private enum Answer: Equatable {
    case progress(ProxyProgress)
    case fault(ProxyFault)
}

/// The answer to some bytes; on the way it checks what must hold for every answer.
private func answer(_ bytes: RawSpan, _ mode: ProxyMode, mayAnnounce: Bool) -> Answer {
    let size = bytes.byteCount
    do throws(ProxyError) {
        let progress = try ProxyParser.parse(bytes, mode: mode, mayAnnounce: mayAnnounce)
        switch progress {
        case .more:
            precondition(size < ProxyParser.longestBlock, "more is wanted than may be held")
        case .absent:
            precondition(mode == .auto && size > 0)
        case .header(let header):
            precondition(mayAnnounce)
            precondition(header.byteCount > 14 && header.byteCount <= size)
            check(header.route)
        }
        return .progress(progress)
    } catch {
        precondition(error.status == 400 || (error.status == 403 && !mayAnnounce))
        return .fault(error.fault)
    }
}

/// Both ends of a connection are of the family that the route names.
private func check(_ route: ProxyHeader.Route) {
    switch route {
    case .tcp4(let source, let destination):
        guard case (.v4, .v4) = (source.address, destination.address) else { preconditionFailure("not IPv4") }
    case .tcp6(let source, let destination):
        guard case (.v6, .v6) = (source.address, destination.address) else { preconditionFailure("not IPv6") }
    case .unix, .unknown, .unspecified, .local: break
    }
}

/// Any text is an entry of an address list or is not; one that is contains itself.
private func checkList(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes.prefix(64), as: UTF8.self)
    var list = AddressList()
    guard (try? list.add(text)) != nil, text != "*" else { return }
    guard let address = IPAddress(text.split(separator: "/")[0]) else {
        preconditionFailure("an entry without address")
    }
    precondition(list.contains(address))
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxy(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let buffer = UnsafeRawBufferPointer(start: data, count: size)
    checkList(buffer)
    let bytes = buffer.bytes
    for mode in ProxyMode.allCases {
        for mayAnnounce in [true, false] {
            let whole = answer(bytes, mode, mayAnnounce: mayAnnounce)
            // However it is cut: every prefix is undecided or gets the very same answer, and once decided it stays so.
            var isDecided = false
            for length in 0...min(size, 300) {
                let part = answer(bytes.extracting(0..<length), mode, mayAnnounce: mayAnnounce)
                precondition(
                    part == whole || (part == .progress(.more) && !isDecided), "the answer depends on how bytes are cut"
                )
                isDecided = isDecided || part != .progress(.more)
            }
        }
    }
    return 0
}
