import HTTPWire
import Testing

@Suite struct ChunkFramingTests {
    static func sizeLine(_ size: Int) -> String {
        var buffer = [UInt8](repeating: 0, count: ChunkFraming.sizeLineLimit)
        let count = buffer.withUnsafeMutableBytes { ChunkFraming.writeSizeLine(size, into: $0) }
        return latin1(buffer[..<count])
    }

    @Test func sizeLines() {
        #expect(Self.sizeLine(1) == "1\r\n")
        #expect(Self.sizeLine(.max) == "7fffffffffffffff\r\n")
        for shift in 0..<63 {
            let power = 1 << shift
            for size: Int in [power, power | 1, power - 1 + power] {
                #expect(Self.sizeLine(size) == String(size, radix: 16) + "\r\n")
            }
        }
    }

    @Test func whatIsWrittenCanBeRead() {
        let data = [UInt8](repeating: 0x78, count: 4097)
        let body = bytes(Self.sizeLine(data.count)) + data + bytes("\(ChunkFraming.dataEnd)\(ChunkFraming.bodyEnd)")
        #expect(decode(body) == DecodedBody(data: data, consumed: body.count, fault: nil))
    }
}
