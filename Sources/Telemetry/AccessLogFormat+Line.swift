/// Lines of text.
extension AccessLogFormat {
    /// What a line is made of, in order: a literal, if there is one, and the atom behind it.
    struct Step: Sendable {
        /// A literal of up to eight bytes, which are stored at once.
        var word: UInt64 = 0
        var wordCount = 0
        /// A longer one.
        var literal = AccessLogName(offset: 0, count: 0)
        /// Nil at the end of the line.
        var atom: AccessLogAtom?
        var conversion: Conversion?

        /// - Parameter text: the format's.
        static func steps(of pieces: [Piece], _ text: [UInt8]) -> [Step] {
            var steps: [Step] = []
            var literal: [UInt8] = []
            var place: AccessLogName?
            func end(with atom: AccessLogAtom?, _ conversion: Conversion?) {
                // One that is as it stands in the format, and too long, is copied from there.
                while literal.count > 8, place == nil {
                    steps.append(Step(literal: literal.prefix(8)))
                    literal.removeFirst(8)
                }
                var step = Step(literal: literal.count > 8 ? [] : literal[...])
                if literal.count > 8, let place { step.literal = place }
                step.atom = atom
                step.conversion = conversion
                steps.append(step)
                literal = []
                place = nil
            }
            for piece in pieces {
                switch piece {
                case .literal(let name):
                    place = literal.isEmpty ? name : nil
                    literal += text[name.offset..<name.offset + name.count]
                case .atom(.identity), .atom(.unknown):
                    // Whatever the request is.
                    place = nil
                    literal.append(UInt8(ascii: "-"))
                case .atom(let atom): end(with: atom, nil)
                case .converted(let atom, let conversion): end(with: atom, conversion)
                }
            }
            place = nil
            literal.append(UInt8(ascii: "\n"))
            end(with: nil, nil)
            return steps
        }

        private init(literal: ArraySlice<UInt8>) {
            wordCount = literal.count
            for byte in literal.reversed() { word = word << 8 | UInt64(byte) }
        }
    }

    /// Writes a line, with its end.
    public func write(_ fields: some AccessLogFields, to out: inout TextBuffer) {
        text.withUnsafeBytes { text in
            steps.withUnsafeBufferPointer { steps in
                for index in steps.indices {
                    out.append(word: steps[index].word, count: steps[index].wordCount)
                    if steps[index].literal.count > 0 { out.append(steps[index].literal.bytes(in: text)) }
                    guard let atom = steps[index].atom else { continue }
                    if let conversion = steps[index].conversion {
                        conversion.write(atom, fields, text, to: &out)
                    } else {
                        atom.write(fields, text, to: &out)
                    }
                }
            }
        }
    }
}

extension AccessLogFormat.Conversion {
    @inline(never)
    fileprivate func write(
        _ atom: AccessLogAtom, _ fields: some AccessLogFields, _ text: UnsafeRawBufferPointer, to out: inout TextBuffer
    ) {
        let start = out.count
        if isNumber {
            out.append(atom.number(fields))
        } else {
            atom.write(fields, text, to: &out)
        }
        apply(to: &out, from: start)
    }

    /// Cuts, pads and signs what was written behind `start`, in characters as Python counts them.
    private func apply(to out: inout TextBuffer, from start: Int) {
        var signSize = 0
        if isNumber {
            let isNegative = out.bytes[start] == UInt8(ascii: "-")
            if !isNegative, let sign { out.insert(sign, 1, at: start) }
            signSize = isNegative || sign != nil ? 1 : 0
            if let precision {
                out.insert(UInt8(ascii: "0"), precision - (out.count - start - signSize), at: start + signSize)
            }
        } else if let precision {
            out.truncate(start + Self.size(of: precision, in: UnsafeRawBufferPointer(rebasing: out.bytes[start...])))
        }
        let missing = width - out.bytes[start...].count(where: { $0 & 0xC0 != 0x80 })
        guard missing > 0 else { return }
        if alignsLeft {
            out.insert(UInt8(ascii: " "), missing, at: out.count)
        } else if padsWithZeros && isNumber {
            out.insert(UInt8(ascii: "0"), missing, at: start + signSize)
        } else {
            out.insert(UInt8(ascii: " "), missing, at: start)
        }
    }

    /// The bytes of so many characters.
    private static func size(of characters: Int, in text: UnsafeRawBufferPointer) -> Int {
        var left = characters
        for index in text.indices where text[index] & 0xC0 != 0x80 {
            if left == 0 { return index }
            left -= 1
        }
        return text.count
    }
}
