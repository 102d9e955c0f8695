/// A moment as IMF-fixdate, for example `Sun, 06 Nov 1994 08:49:37 GMT`. RFC 9110 §5.6.7.
///
/// Made once a second and copied into every response, so it is kept as it is sent: 29 bytes, and three spaces.
public struct HTTPDate: Sendable {
    /// Bytes of the text.
    public static let byteCount = 29

    let text: SIMD32<UInt8>

    /// - Parameter unixSeconds: seconds since 1970-01-01 00:00:00 UTC. Outside the years 1970 to 9999, which is all
    ///   that four digits can say and a clock can mean, the nearest of the two is taken.
    public init(unixSeconds: Int) {
        let seconds = min(max(unixSeconds, 0), 253_402_300_799)
        let days = seconds / 86400
        let time = seconds % 86400

        // Years counted from March end with the leap day, and months from March have lengths that a line through
        // (153 * month + 2) / 5 meets exactly. Eras of 400 years have 146,097 days.
        let sinceMarch = days + 719_468
        let era = sinceMarch / 146_097
        let dayOfEra = sinceMarch % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 2 : shiftedMonth - 10  // 0 is January
        let year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)

        var text = SIMD32<UInt8>(repeating: .space)
        func put(_ string: StaticString, _ from: Int, _ count: Int, at position: Int) {
            for offset in 0..<count { text[position + offset] = string.utf8Start[from + offset] }
        }
        func put(_ number: Int, at position: Int) {
            text[position] = UInt8(ascii: "0") + UInt8(number / 10)
            text[position + 1] = UInt8(ascii: "0") + UInt8(number % 10)
        }
        put("ThuFriSatSunMonTueWed", days % 7 * 3, 3, at: 0)  // 1970-01-01 was a Thursday
        text[3] = UInt8(ascii: ",")
        put(day, at: 5)
        put("JanFebMarAprMayJunJulAugSepOctNovDec", month * 3, 3, at: 8)
        put(year / 100, at: 12)
        put(year % 100, at: 14)
        put(time / 3600, at: 17)
        text[19] = UInt8(ascii: ":")
        put(time / 60 % 60, at: 20)
        text[22] = UInt8(ascii: ":")
        put(time % 60, at: 23)
        put("GMT", 0, 3, at: 26)
        self.text = text
    }

    /// Writes the text to the start of a buffer of at least ``byteCount`` bytes.
    public func write(into buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count >= Self.byteCount)
        withUnsafeBytes(of: text) { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<Self.byteCount])) }
    }
}

extension HTTPDate: CustomStringConvertible {
    public var description: String {
        String(decoding: (0..<Self.byteCount).map { text[$0] }, as: UTF8.self)
    }
}
