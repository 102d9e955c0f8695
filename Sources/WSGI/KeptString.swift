internal import PythonBridge

/// The last `str` made for a value, to be used again when the same bytes come again: clients repeat themselves, and a
/// `str` is immutable.
struct KeptString {
    /// Longer values are not kept.
    static let limit = 256

    private var value: PyPointer?
    /// The `str`'s own bytes.
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)

    /// The `str` of Latin-1 bytes.
    ///
    /// - Parameter keeps: false for what should not outlive its request: a secret, or what may be one.
    @inline(__always)
    mutating func reuse(
        _ latin1: UnsafeRawBufferPointer, keeps: Bool, _ gil: borrowing GIL
    ) throws(PythonError) -> PyRef {
        if let value, Bytes.equal(latin1, bytes) { return PyRef(retaining: value) }
        let made = try gil.string(latin1: latin1)
        if keeps, latin1.count <= Self.limit { keep(made.pointer, gil) }
        return made
    }

    private mutating func keep(_ made: PyPointer, _ gil: borrowing GIL) {
        // Only ASCII has bytes of its own that can be compared with Latin-1.
        guard let own = gil.ascii(made) else { return }
        if let value { gil.release(value) }
        gil.retain(made)
        value = made
        bytes = own
    }
}
