internal import PythonBridge

/// `wsgi.file_wrapper`: a class that wraps a file-like object as a response (PEP 3333, "Optional Platform-Specific File
/// Handling"). Where the object is a plain file the server sends it without the application's help; otherwise it is
/// iterated, a block at a time.
enum FileWrapper {
    private static let defaultBlockSize = 8192

    /// The two references that an instance holds.
    private static let fileSlot = 0
    private static let blockSizeSlot = 1

    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        var slots = NativeType.Slots()
        slots.new = { type, arguments, keywords in
            GIL.calledByPython { (gil) throws(PythonError) in
                try FileWrapper.make(type!, arguments!, keywords, gil).leak()
            }
        }
        slots.iterator = { wrapper in
            GIL.calledByPython { (_) throws(PythonError) in PyRef(retaining: wrapper!).leak() }
        }
        slots.next = { wrapper in
            GIL.calledByPython { (gil) throws(PythonError) in
                guard let file = FileWrapper.file(wrapper!),
                    let size = NativeType.reference(wrapper!, FileWrapper.blockSizeSlot)
                else { return nil }
                let block = try gil.call(try gil.attribute(file, "read"), size)
                return try gil.isTrue(block.pointer) ? block.leak() : nil
            }
        }
        slots.getters = [
            ("filelike", { wrapper, _ in FileWrapper.get(wrapper, FileWrapper.fileSlot) }),
            ("blksize", { wrapper, _ in FileWrapper.get(wrapper, FileWrapper.blockSizeSlot) }),
        ]
        return try NativeType.make(
            name: "monoceros.FileWrapper", doc: "Wraps a file-like object as a response body.",
            methods: [("close", close)], slots: slots, isGarbageCollected: true, isSubclassable: true, gil)
    }

    /// The wrapped object, owned by the wrapper.
    static func file(_ wrapper: PyPointer) -> PyPointer? { NativeType.reference(wrapper, fileSlot) }

    private static func get(_ wrapper: PyPointer?, _ slot: Int) -> PyPointer? {
        GIL.calledByPython { (gil) throws(PythonError) in
            PyRef(retaining: NativeType.reference(wrapper!, slot) ?? gil.none()).leak()
        }
    }

    /// `FileWrapper(filelike, blksize=8192)`.
    private static func make(
        _ type: OpaquePointer, _ arguments: PyPointer, _ keywords: PyPointer?, _ gil: borrowing GIL
    ) throws(PythonError) -> PyRef {
        let count = gil.count(arguments)
        var file = count > 0 ? try gil.item(arguments, 0) : nil
        var size = count > 1 ? try gil.item(arguments, 1) : nil
        if let keywords {
            if file == nil { file = try gil.get(keywords, try gil.interned("filelike")) }
            if size == nil { size = try gil.get(keywords, try gil.interned("blksize")) }
        }
        guard let file, count <= 2 else {
            throw gil.raise(.typeError, "FileWrapper() takes a file-like object and optionally a block size")
        }
        let wrapper = try NativeType.allocate(type, gil)
        NativeType.setReference(wrapper.pointer, fileSlot, PyRef(retaining: file))
        let blockSize = if let size { PyRef(retaining: size) } else { try gil.integer(defaultBlockSize) }
        NativeType.setReference(wrapper.pointer, blockSizeSlot, blockSize)
        return wrapper
    }

    /// Closes the wrapped object, if it can be closed.
    private static let close: NativeMethod = { wrapper, _, _, _ in
        GIL.calledByPython { (gil) throws(PythonError) in
            guard let file = FileWrapper.file(wrapper!),
                let close = try gil.attributeIfPresent(file, try gil.interned("close"))
            else { return gil.newNone() }
            return try gil.call(close.pointer).leak()
        }
    }
}
