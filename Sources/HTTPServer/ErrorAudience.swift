internal import HTTPWire

/// For whom an error page is: what the head of the failed request, as far as it can be read, says about the answer.
public struct ErrorAudience: Equatable, Sendable {
    /// The method is HEAD, so the answer has no body. RFC 9110 §9.3.2.
    public let isHead: Bool
    /// JSON rather than HTML.
    public let prefersJSON: Bool

    /// Heads are looked at so far, in bytes. What browsers and libraries send is far shorter.
    static let scanLimit = 16_384

    public init(isHead: Bool = false, prefersJSON: Bool = false) {
        self.isHead = isHead
        self.prefersJSON = prefersJSON
    }

    /// Reads what it can. The head may be invalid or cut off anywhere, and the parser may have given it up long before
    /// its Accept field: that field decides about the looks of a page and nothing else, so it counts wherever it
    /// stands.
    ///
    /// - Parameter head: bytes that begin with a request's head; what follows the head is not looked at.
    public init(head: RawSpan) {
        let end = min(head.byteCount, Self.scanLimit)
        var position = 0
        if end >= 2, head[0] == .carriageReturn, head[1] == .lineFeed { position = 2 }
        isHead = FieldSyntax.hasPrefix(head, from: position, to: end, "head ")
        var preference = MediaPreference()
        var isFirstLine = true
        while true {
            let lineEnd = Scanning.first(.lineFeed, in: head, from: position, to: end)
            // A line that is cut off could end in anything.
            guard lineEnd < end else { break }
            var contentEnd = lineEnd
            if contentEnd > position, head[contentEnd - 1] == .carriageReturn { contentEnd -= 1 }
            if contentEnd == position { break }
            if !isFirstLine, FieldSyntax.hasPrefix(head, from: position, to: contentEnd, "accept:") {
                preference.add(head, from: position + 7, to: contentEnd)
            }
            isFirstLine = false
            position = lineEnd + 1
        }
        prefersJSON = preference.isJSON
    }
}
