public import PythonBridge

/// The Python types that applications meet. One set a process.
public struct WSGITypes {
    let input: NativeType
    let response: NativeType
    let requestLink: NativeType
    /// The class `wsgi.file_wrapper`.
    let fileWrapper: PyPointer
    /// The class of `gunicorn.socket`.
    let offeredSocket: PyPointer
    /// The one stream of all requests without a body.
    let emptyInput: PyPointer
    /// `io.FileIO` and `io.BufferedReader`: see `isPlainFile`.
    private let fileIO, bufferedReader: PyPointer

    public init(_ gil: borrowing GIL) throws(PythonError) {
        input = try InputStream.makeType(gil)
        response = try Response.makeType(gil)
        requestLink = try RequestLink.makeType(gil)
        fileWrapper = try FileWrapper.makeType(gil).type
        emptyInput = try input.wrap(InputStream(), gil).leak()
        offeredSocket = try gil.attribute(gil.importModule("monoceros.clientsocket"), "OfferedSocket").leak()
        let io = try gil.importModule("io")
        fileIO = try gil.attribute(io, "FileIO").leak()
        bufferedReader = try gil.attribute(io, "BufferedReader").leak()
    }

    /// Whether reading an object gives what reading its descriptor gives. A subclass may do anything, and a gzip file
    /// has a descriptor too: that of the compressed bytes, also behind a buffer.
    func isPlainFile(_ file: PyPointer, _ gil: borrowing GIL) throws(PythonError) -> Bool {
        if gil.isExactly(file, fileIO) { return true }
        guard gil.isExactly(file, bufferedReader) else { return false }
        let raw = try gil.attribute(file, "raw")
        return gil.isExactly(raw, fileIO)
    }
}
