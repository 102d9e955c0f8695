@testable import Scheduling

/// A `BatonWord` in a byte: the lowest bits of its epoch (4) and its sequence (3), and whether it is lent (1).
extension BatonWord {
    static let epochMask: UInt8 = 0xF0
    static let sequenceMask: UInt8 = 0x0E

    init(code: UInt8) {
        self.init(bits: UInt64(code >> 4) << 32 | UInt64(code & 0xF))
    }

    var code: UInt8 { UInt8(bits >> 32 & 0xF) << 4 | UInt8(bits & 0xF) }
}

extension ModelState {
    /// The same state with as few different words as can be. The protocol compares words, and counts them on; so it does not
    /// matter how far the count is, only which words are the present one. An earlier one never comes again (in 2^31 loans),
    /// and all of these are as one.
    mutating func normalizeWords() {
        let present = word & ~1
        guard present != 0 else { return squashWords() }
        word &= 1
        for thread in threads.indices {
            threads[thread].mapWords { ($0 &- (present & 0xF0)) & 0xF0 | ($0 &- present) & 0xE | $0 & 1 }
        }
        squashWords()
    }

    private mutating func squashWords() {
        for thread in threads.indices {
            threads[thread].mapWords { code in
                switch code & ~1 {
                // The present word, and the one before it: a runner that lends counts on from that.
                case 0, 0x0E: code
                default: 0x88 | code & 1
                }
            }
        }
    }
}
