public import PythonBridge

/// Entries of an environ that somebody wants to know when the application is done with it: those that an access log
/// format names (`%(remote_user)e`). Each gateway has its own.
public final class EnvironExcerpt {
    /// In lower case.
    public let names: [[UInt8]]
    /// The same as a list of Python's.
    private let list: PyPointer
    /// Python: `(environ, names)`, returns what stands there as a list of `bytes` in UTF-8, or None for what does not.
    private let read: PyPointer
    /// What was found, one behind the other.
    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private var places: [Range<Int>?]

    /// - Parameter names: in lower case.
    /// - Throws: `PythonError`.
    public init(_ names: [[UInt8]], read: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        self.names = names
        places = names.map { _ in nil }
        let list = try gil.list()
        for name in names { try gil.append(list, try gil.string(String(decoding: name, as: UTF8.self))) }
        self.list = list.leak()
        gil.retain(read)
        self.read = read
    }

    deinit { storage.deallocate() }

    /// Reads the entries.
    func take(from environ: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        clear()
        let found = try gil.call(read, environ, list)
        var used = 0
        for index in names.indices {
            let value = try gil.item(found, index)
            if value == gil.none() { continue }
            let bytes = try gil.bytes(of: value)
            reserve(used + bytes.count, used: used)
            UnsafeMutableRawBufferPointer(rebasing: storage[used...]).copyMemory(from: bytes)
            places[index] = used..<used + bytes.count
            used += bytes.count
        }
    }

    /// Forgets them: the next request may have no environ.
    func clear() {
        for index in places.indices { places[index] = nil }
    }

    /// How many names there are.
    public var count: Int { names.count }

    /// What `str` made of the entry under a name, in UTF-8; nil where there is none. Valid until the next request.
    public subscript(index: Int) -> UnsafeRawBufferPointer? {
        places[index].map { UnsafeRawBufferPointer(rebasing: storage[$0]) }
    }

    private func reserve(_ count: Int, used: Int) {
        guard count > storage.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count * 2, alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<used]))
        storage.deallocate()
        storage = larger
    }
}
