import HTTPWire

/// What a head came to, as values that outlive the parser and can be compared.
struct ParsedHead: Equatable {
    var byteCount: Int
    var method: String
    var knownMethod: Method
    var target: String
    var path: String
    var query: String
    var authority: String
    var version: HTTPVersion
    var fields: [Field]
    var framing: BodyFraming
    var isPersistent: Bool
    var expectsContinue: Bool
    var schemeOverride: SchemeOverride
    var methodNeedsUppercasing: Bool

    struct Field: Equatable {
        var name: String
        var value: String
        var kind: FieldKind
    }

    func value(of name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

enum Outcome: Equatable {
    case more
    case head(ParsedHead)
    case fault(WireFault)

    var head: ParsedHead? {
        guard case .head(let head) = self else { return nil }
        return head
    }

    var fault: WireFault? {
        guard case .fault(let fault) = self else { return nil }
        return fault
    }
}

/// One byte per character, so that any byte can be compared and printed.
func latin1(_ bytes: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

/// The bytes of a string whose characters are all below U+0100.
func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8($0.value) }
}

/// A policy, changed in one place.
func policy(_ change: (inout RequestPolicy) -> Void) -> RequestPolicy {
    var policy = RequestPolicy()
    change(&policy)
    return policy
}

extension RequestParser {
    /// Parses once, into comparable values. Checks on the way that every range lies inside the bytes.
    mutating func outcome(_ input: [UInt8], trusted: Bool = false) -> Outcome {
        do throws(WireError) {
            guard try parse(input.span.bytes, fromTrustedPeer: trusted) == .head else { return .more }
        } catch {
            return .fault(error.fault)
        }
        func text(_ range: ByteRange) -> String { latin1(input[range.offsets]) }
        var fields: [ParsedHead.Field] = []
        for position in 0..<head.fields.count {
            let field = head.fields[position]
            var value = Array(input[field.value.offsets])
            if field.isFolded {
                value = []
                FieldSyntax.unfold(input.span.bytes.extracting(field.value.offsets), into: &value)
            }
            fields.append(.init(name: text(field.name), value: latin1(value), kind: field.kind))
        }
        return .head(
            ParsedHead(
                byteCount: head.byteCount, method: text(head.method), knownMethod: head.knownMethod,
                target: text(head.target), path: text(head.path), query: text(head.query),
                authority: text(head.authority), version: head.version, fields: fields, framing: head.framing,
                isPersistent: head.isPersistent, expectsContinue: head.expectsContinue,
                schemeOverride: head.schemeOverride, methodNeedsUppercasing: head.methodNeedsUppercasing))
    }
}

/// Parses a text in one go.
func parse(_ text: String, _ policy: RequestPolicy = RequestPolicy(), trusted: Bool = false) -> Outcome {
    var parser = RequestParser(policy: policy)
    return parser.outcome(bytes(text), trusted: trusted)
}

/// A chunked body decoded in the given pieces.
struct DecodedBody: Equatable {
    var data: [UInt8] = []
    /// Bytes up to the end of the body; nil if it has no end in them.
    var consumed: Int?
    var fault: WireFault?
}

func decode(_ input: [UInt8], _ policy: RequestPolicy = RequestPolicy(), cuts: [Int] = []) -> DecodedBody {
    var decoder = ChunkedDecoder(policy: policy)
    var body = DecodedBody()
    var start = 0
    for cut in cuts + [input.count] {
        let piece = Array(input[start..<cut])
        var offset = 0
        reading: while true {
            do throws(WireError) {
                switch try decoder.next(piece.span.bytes, from: offset) {
                case .more:
                    break reading
                case .data(let range):
                    body.data += piece[range.offsets]
                    offset = range.offsets.upperBound
                case .end(let consumed):
                    body.consumed = start + consumed
                    return body
                }
            } catch {
                body.fault = error.fault
                return body
            }
        }
        start = cut
    }
    return body
}

/// A small generator with a seed, so that a failure can be repeated. SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
