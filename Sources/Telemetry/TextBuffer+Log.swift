/// What log lines are made of.
extension TextBuffer {
    /// Text of a client or an application, or `-` when there is none.
    mutating func append(log bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return append(UInt8(ascii: "-")) }
        append(log: bytes, isUTF8: false)
    }

    /// Writes text as UTF-8, so that it can neither end the line nor a quoted value, nor speak to a terminal.
    ///
    /// A quote is `\"`, as gunicorn writes it. It leaves a backslash alone, with which a client can end its quoted
    /// value early, so that is `\\` here; and it writes line ends that a path had percent-encoded, so control
    /// characters are `\n`, `\r`, `\t` or `\xhh` here, those of ISO 8859-1 included.
    mutating func append(log bytes: UnsafeRawBufferPointer, isUTF8: Bool) {
        if Self.isPlain(bytes) { append(bytes) } else { append(escaping: bytes, isUTF8: isUTF8) }
    }

    /// Whether there is nothing to escape in a text.
    @inline(__always)
    private static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 8 else {
            return bytes.allSatisfy {
                $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
        }
        var index = 0
        let last = bytes.count &- 8
        while index < last {
            guard isPlain(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) else { return false }
            index &+= 8
        }
        return isPlain(bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self))
    }

    private mutating func append(escaping bytes: UnsafeRawBufferPointer, isUTF8: Bool) {
        var plain = 0
        var index = 0
        while index < bytes.count {
            if bytes.count &- index >= 8, Self.isPlain(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
                index &+= 8
                continue
            }
            let byte = bytes[index]
            if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                index &+= 1
                continue
            }
            append(UnsafeRawBufferPointer(rebasing: bytes[plain..<index]))
            index &+= 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case ..<0x80: append(escaped: byte)
            case 0xC2 where isUTF8 && index < bytes.count && bytes[index] < 0xA0:
                append(escaped: bytes[index])
                index &+= 1
            // U+2028 and U+2029, which end lines too.
            case 0xE2
            where isUTF8 && bytes.count - index >= 2 && bytes[index] == 0x80 && bytes[index + 1] & 0xFE == 0xA8:
                append("\\u202")
                append(bytes[index + 1] - 0xA8 + UInt8(ascii: "8"))
                index &+= 2
            case _ where isUTF8: append(byte)
            case ..<0xA0: append(escaped: byte)
            default: append(latin: byte)
            }
            plain = index
        }
        append(UnsafeRawBufferPointer(rebasing: bytes[plain...]))
    }

    /// Whether eight bytes are all printable ASCII, and neither a quote nor a backslash.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones << 7
        // The top bit of each byte that is below 0x20, is the byte looked for, or is 0x7F; right as long as no top bit
        // is set, and where one is, the answer is no anyhow.
        func isZero(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
        let quote = isZero(word ^ ones &* UInt64(UInt8(ascii: "\"")))
        let backslash = isZero(word ^ ones &* UInt64(UInt8(ascii: "\\")))
        let control = (word &- ones &* 0x20) & ~word
        let delete = isZero(word ^ ones &* 0x7F)
        return (word | quote | backslash | control | delete) & tops == 0
    }

    private mutating func append(escaped byte: UInt8) {
        append("\\x")
        append(hex: byte)
    }

    mutating func append(hex byte: UInt8) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
        append(digit(byte >> 4))
        append(digit(byte & 15))
    }

    /// A byte of ISO 8859-1 above 127, as UTF-8.
    mutating func append(latin byte: UInt8) {
        append(0xC0 | byte >> 6)
        append(0x80 | byte & 0x3F)
    }

    // MARK: Time

    /// `[06/Nov/1994:08:49:37 +0000]`, as Apache and gunicorn write it.
    ///
    /// - Parameters:
    ///   - time: seconds since 1970 (UTC).
    ///   - zone: the local time's distance from UTC in seconds.
    public mutating func append(logTime time: Int64, zone: Int) {
        let date = CivilTime(time, zone: zone)
        append(UInt8(ascii: "["))
        append(UInt64(date.day), digits: 2)
        append(UInt8(ascii: "/"))
        append(date.monthName)
        append(UInt8(ascii: "/"))
        append(UInt64(date.year), digits: 4)
        append(UInt8(ascii: ":"))
        append(clock: date)
        append(UInt8(ascii: " "))
        append(zone: zone, separator: false)
        append(UInt8(ascii: "]"))
    }

    /// `1994-11-06T08:49:37+00:00` (RFC 3339).
    mutating func append(timestamp time: Int64, zone: Int) {
        let date = CivilTime(time, zone: zone)
        append(UInt64(date.year), digits: 4)
        append(UInt8(ascii: "-"))
        append(UInt64(date.month), digits: 2)
        append(UInt8(ascii: "-"))
        append(UInt64(date.day), digits: 2)
        append(UInt8(ascii: "T"))
        append(clock: date)
        append(zone: zone, separator: true)
    }

    private mutating func append(clock date: CivilTime) {
        append(UInt64(date.second / 3600), digits: 2)
        append(UInt8(ascii: ":"))
        append(UInt64(date.second / 60 % 60), digits: 2)
        append(UInt8(ascii: ":"))
        append(UInt64(date.second % 60), digits: 2)
    }

    private mutating func append(zone: Int, separator: Bool) {
        append(zone < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let minutes = zone.magnitude / 60
        append(UInt64(minutes / 60), digits: 2)
        if separator { append(UInt8(ascii: ":")) }
        append(UInt64(minutes % 60), digits: 2)
    }
}

/// A moment's date and time of day, by the calendar of everybody (proleptic Gregorian).
struct CivilTime {
    let year: Int
    let month: Int
    let day: Int
    /// Of the day.
    let second: Int

    init(_ time: Int64, zone: Int) {
        // Years 1 to 9999: whatever a clock may say, four digits hold it.
        let local = min(max(Int(time), -62_135_596_800), 253_402_300_799) + min(max(zone, -86_400), 86_400)
        let days = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        second = local - days * 86_400
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, eras have 400 of them.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = max(0, yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
    }

    var monthName: StaticString {
        switch month {
        case 1: "Jan"
        case 2: "Feb"
        case 3: "Mar"
        case 4: "Apr"
        case 5: "May"
        case 6: "Jun"
        case 7: "Jul"
        case 8: "Aug"
        case 9: "Sep"
        case 10: "Oct"
        case 11: "Nov"
        default: "Dec"
        }
    }
}
