@testable import Scheduling

/// A `BatonWord` in a byte: the lowest bits of its epoch (3) and its sequence (3), whether the loan is expected to be
/// long (1), and whether it is lent (1).
extension BatonWord {
    static let epochMask: UInt8 = 0xE0
    static let sequenceMask: UInt8 = 0x1C

    init(code: UInt8) {
        self.init(bits: UInt64(code >> 5) << 32 | UInt64(code & 0x1F))
    }

    var code: UInt8 { UInt8(bits >> 32 & 0x7) << 5 | UInt8(bits & 0x1F) }
}

extension ModelState {
    /// The same state with as few different words as can be. The protocol compares words, and counts them on; so it
    /// does not matter how far the count is, only which words are the present one. An earlier one never comes again (in
    /// 2^30 loans), and all of these are as one.
    mutating func normalizeWords() {
        let (epoch, sequence) = (word & BatonWord.epochMask, word & BatonWord.sequenceMask)
        guard epoch | sequence != 0 else { return squashWords() }
        word &= 3
        for thread in threads.indices {
            threads[thread].mapWords {
                ($0 &- epoch) & BatonWord.epochMask | ($0 &- sequence) & BatonWord.sequenceMask | $0 & 3
            }
        }
        squashWords()
    }

    private mutating func squashWords() {
        for thread in threads.indices {
            threads[thread].mapWords { code in
                switch code & ~3 {
                // The present word, and the one before it: a runner that lends counts on from that.
                case 0, BatonWord.sequenceMask: code
                default: 0x90 | code & 3
                }
            }
        }
    }
}
