/// Classes of single bytes.
extension UInt8 {
    package static let tab: UInt8 = 0x09
    package static let lineFeed: UInt8 = 0x0A
    package static let carriageReturn: UInt8 = 0x0D
    package static let space: UInt8 = 0x20

    /// `tchar`, RFC 9110 §5.6.2.
    @inline(__always)
    var isTokenByte: Bool {
        // One bit per ASCII character in two constants: faster than a table that must first be in the cache.
        //   0x21, 0x23-0x27, 0x2A, 0x2B, 0x2D, 0x2E, digits | letters, 0x5E-0x60, 0x7C, 0x7E
        let bits: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return self < 128 && (bits &>> UInt64(self & 63)) & 1 == 1
    }

    /// SP or HTAB: `OWS`, RFC 9110 §5.6.3.
    @inline(__always)
    package var isOptionalSpace: Bool { self == .space || self == .tab }

    @inline(__always)
    package var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    @inline(__always)
    var isLowerCase: Bool { self &- UInt8(ascii: "a") < 26 }

    @inline(__always)
    var lowerCased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    var hexValue: UInt8? {
        if isDigit { return self &- UInt8(ascii: "0") }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    /// A byte of a field value: everything but control characters, HTAB excepted. RFC 9110 §5.5.
    @inline(__always)
    var isFieldValueByte: Bool { (self >= 0x20 && self != 0x7F) || self == .tab }
}
