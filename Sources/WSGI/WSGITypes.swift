public import PythonBridge

/// The Python types that applications meet. One set a process.
public struct WSGITypes {
    let input: NativeType
    let response: NativeType
    /// The class `wsgi.file_wrapper`.
    let fileWrapper: PyPointer
    /// The one stream of all requests without a body.
    let emptyInput: PyPointer
    /// `io.FileIO` and `io.BufferedReader`: the types whose descriptor is what reading them gives. (A
    /// gzip file has a descriptor too: that of the compressed bytes.)
    let plainFiles: [PyPointer]

    public init(_ gil: borrowing GIL) throws(PythonError) {
        input = try InputStream.makeType(gil)
        response = try Response.makeType(gil)
        fileWrapper = try FileWrapper.makeType(gil).type
        emptyInput = try input.wrap(InputStream(), gil).leak()
        let io = try gil.importModule("io")
        plainFiles = [
            try gil.attribute(io.pointer, "FileIO").leak(),
            try gil.attribute(io.pointer, "BufferedReader").leak(),
        ]
    }
}
