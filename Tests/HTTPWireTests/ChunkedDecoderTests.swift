import HTTPWire
import Testing

@Suite struct ChunkedDecoderTests {
    @Test func decodesUnderEverySplit() {
        let input = bytes("4;a=b;c=\"d\\\"e\"\r\nWiki\r\n00a ; x\r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: \r\n\r\nGET /")
        let expected = DecodedBody(data: bytes("Wiki0123456789"), consumed: input.count - 5, fault: nil)
        #expect(decode(input) == expected)
        #expect(decode(input, cuts: Array(1..<input.count)) == expected)
        for first in 0...input.count {
            for second in first...input.count {
                #expect(decode(input, cuts: [first, second]) == expected)
            }
        }
    }
}
