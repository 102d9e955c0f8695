internal import CPython

/// The arguments of a call from Python, positional and by keyword, as `METH_FASTCALL | METH_KEYWORDS` passes them.
public struct Arguments {
    let values: UnsafePointer<PyPointer?>?
    let positionalCount: Int
    let keywordNames: PyPointer?

    /// The three that a `NativeMethod` gets after its receiver; they live for the call.
    public init(_ values: UnsafePointer<PyPointer?>?, _ positionalCount: Int, _ keywordNames: PyPointer?) {
        self.values = values
        self.positionalCount = positionalCount
        self.keywordNames = keywordNames
    }

    /// - Throws: `PythonError` (TypeError) for too few or too many arguments, or a keyword that is none of `names`.
    public func check(
        _ function: StaticString, _ range: ClosedRange<Int>, _ names: StaticString..., gil: borrowing GIL
    ) throws(PythonError) {
        let keywordCount = keywordNames.map { gil.count($0) } ?? 0
        guard range.contains(positionalCount + keywordCount) else {
            throw gil.raise(
                .typeError,
                "\(function)() takes \(range.lowerBound) to \(range.upperBound) arguments but "
                    + "\(positionalCount + keywordCount) were given")
        }
        guard let keywordNames else { return }
        for index in 0..<keywordCount {
            let given = try gil.item(keywordNames, index)
            var isKnown = false
            for name in names where gil.equals(given, name) { isKnown = true }
            if !isKnown { throw gil.raise(.typeError, "\(function)() got an unexpected keyword argument") }
        }
    }

    /// The argument at a position, or by one of its names; nil when it was not given.
    public func get(_ position: Int, _ names: StaticString..., gil: borrowing GIL) throws(PythonError) -> PyPointer? {
        if position < positionalCount { return values?[position] }
        guard let keywordNames else { return nil }
        for index in 0..<gil.count(keywordNames) {
            let given = try gil.item(keywordNames, index)
            for name in names where gil.equals(given, name) { return values?[positionalCount + index] }
        }
        return nil
    }
}

extension GIL {
    /// Whether a `str` is an ASCII text.
    public borrowing func equals(_ text: borrowing some PythonObject, _ ascii: StaticString) -> Bool {
        PyUnicode_CompareWithASCIIString(
            text.pointer, UnsafeRawPointer(ascii.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
    }

    /// Runs the body of a function that Python calls: what it throws is the exception that is set.
    ///
    /// - Parameter body: returns a new reference (`PyRef.leak`), or nil without an exception to end an iteration.
    @inlinable public static func calledByPython(
        _ body: (inout GIL) throws(PythonError) -> PyPointer?
    ) -> PyPointer? {
        var gil = GIL.heldByCaller()
        do throws(PythonError) {
            return try body(&gil)
        } catch {
            return nil
        }
    }
}
