public import PythonBridge

/// Entries of an environ that somebody wants to know when the application is done with it: those that an access log
/// format names (`%(remote_user)e`). Each gateway has its own.
public final class EnvironExcerpt {
    /// In lower case.
    public let names: [[UInt8]]
    /// Where among the names REMOTE_ADDR is that is kept if the application changed it.
    private let addressIndex: Int?
    /// The same as a list of Python's.
    private let list: PyPointer
    /// Python: `(environ, names)`, returns what stands there as a list of `bytes` in UTF-8, or None for what does not.
    private let read: PyPointer
    /// What was found, one behind the other.
    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private var places: [Range<Int>?]

    /// - Parameters:
    ///   - names: in lower case.
    ///   - notesAddress: whether REMOTE_ADDR is kept if the application changed it.
    /// - Throws: `PythonError`.
    public init(
        _ names: [[UInt8]], notesAddress: Bool, read: PyPointer, _ gil: borrowing GIL
    ) throws(PythonError) {
        let address = Array("remote_addr".utf8)
        // Where it is asked for by its name it is there anyway.
        let isExtra = notesAddress && !names.contains(address)
        self.names = isExtra ? names + [address] : names
        addressIndex = isExtra ? names.count : nil
        places = self.names.map { _ in nil }
        let list = try gil.list()
        for name in names { try gil.append(list, try gil.string(String(decoding: name, as: UTF8.self))) }
        self.list = list.leak()
        gil.retain(read)
        self.read = read
    }

    deinit { storage.deallocate() }

    /// Whether REMOTE_ADDR is to be given to `take`.
    var notesAddress: Bool { addressIndex != nil }

    /// Reads the entries.
    ///
    /// - Parameter address: what the application has made of REMOTE_ADDR; nil where it left it alone.
    func take(from environ: PyPointer, address: String?, _ gil: borrowing GIL) throws(PythonError) {
        clear()
        var used = 0
        func keep(_ bytes: UnsafeRawBufferPointer, at index: Int) {
            reserve(used + bytes.count, used: used)
            UnsafeMutableRawBufferPointer(rebasing: storage[used...]).copyMemory(from: bytes)
            places[index] = used..<used + bytes.count
            used += bytes.count
        }
        if let addressIndex {
            if var address { address.withUTF8 { keep(UnsafeRawBufferPointer($0), at: addressIndex) } }
            if addressIndex == 0 { return }
        }
        let found = try gil.call(read, environ, list)
        for index in 0..<(addressIndex ?? names.count) {
            let value = try gil.item(found, index)
            if value == gil.none() { continue }
            keep(try gil.bytes(of: value), at: index)
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
