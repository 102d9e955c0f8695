internal import HTTPWire

/// Which of two kinds of error page a client would rather have, by its Accept fields. RFC 9110 §12.5.1.
struct MediaPreference {
    /// How well one kind of page is liked.
    private struct Weight {
        /// 3 for the type itself, 2 for `type/*`, 1 for `*/*`, 0 when nothing named it.
        var precision = 0
        /// In thousandths.
        var quality = 0

        /// The most precise range decides; of several equally precise ones, the kindest.
        mutating func note(precision: Int, quality: Int) {
            guard precision >= self.precision else { return }
            self.quality = precision > self.precision ? quality : max(quality, self.quality)
            self.precision = precision
        }
    }

    private var html = Weight()
    private var json = Weight()

    /// HTML where the client does not care. `application/json, */*` names JSON and takes anything: JSON.
    var isJSON: Bool {
        json.quality > html.quality
            || (json.quality == html.quality && json.quality > 0 && json.precision > html.precision)
    }

    /// Takes the value of an Accept field. Elements that are not well-formed are passed over.
    mutating func add(_ value: borrowing RawSpan, from start: Int, to end: Int) {
        var list = TokenList(from: start, to: end)
        while let element = list.next(value) {
            let (range, quality) = Self.split(value, element)
            guard let quality else { continue }
            if FieldSyntax.equals(value, range, "application/json") {
                json.note(precision: 3, quality: quality)
            } else if FieldSyntax.equals(value, range, "application/*") {
                json.note(precision: 2, quality: quality)
            } else if FieldSyntax.equals(value, range, "text/html") {
                html.note(precision: 3, quality: quality)
            } else if FieldSyntax.equals(value, range, "text/*") {
                html.note(precision: 2, quality: quality)
            } else if FieldSyntax.equals(value, range, "*/*") {
                json.note(precision: 1, quality: quality)
                html.note(precision: 1, quality: quality)
            }
        }
    }

    /// A media range, and its weight in thousandths: nil for one that is no number.
    private static func split(_ bytes: borrowing RawSpan, _ element: ByteRange) -> (range: ByteRange, quality: Int?) {
        let end = Int(element.end)
        var at = Scanning.first(UInt8(ascii: ";"), in: bytes, from: Int(element.start), to: end)
        let range = trimmed(bytes, from: Int(element.start), to: at)
        while at < end {
            let next = Scanning.first(UInt8(ascii: ";"), in: bytes, from: at + 1, to: end)
            let parameter = trimmed(bytes, from: at + 1, to: next)
            if FieldSyntax.hasPrefix(bytes, from: Int(parameter.start), to: Int(parameter.end), "q=") {
                return (range, quality(bytes, from: Int(parameter.start) + 2, to: Int(parameter.end)))
            }
            at = next
        }
        return (range, 1000)
    }

    private static func trimmed(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> ByteRange {
        var first = start
        var last = end
        while first < last && bytes[first].isOptionalSpace { first += 1 }
        while last > first && bytes[last - 1].isOptionalSpace { last -= 1 }
        return ByteRange(first, last)
    }

    /// `0.125` as 125. RFC 9110 §12.4.2: 0 to 1 with at most three decimals.
    private static func quality(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Int? {
        guard start < end, end - start <= 5, bytes[start] == UInt8(ascii: "0") || bytes[start] == UInt8(ascii: "1")
        else {
            return nil
        }
        var value = Int(bytes[start] - UInt8(ascii: "0")) * 1000
        var scale = 100
        for position in (start + 1)..<end {
            if position == start + 1 {
                guard bytes[position] == UInt8(ascii: ".") else { return nil }
                continue
            }
            guard bytes[position].isDigit else { return nil }
            value += Int(bytes[position] - UInt8(ascii: "0")) * scale
            scale /= 10
        }
        return value <= 1000 ? value : nil
    }
}
