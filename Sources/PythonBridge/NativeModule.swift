internal import CPython

/// The extension module itself.
public enum NativeModule {
    /// Makes the module, for the `PyInit_` function to return: a new reference, or nil with an exception set.
    public static func make(
        name: StaticString, doc: StaticString, functions: [(name: StaticString, body: NativeMethod)]
    ) -> PyPointer? {
        cpython_module(
            UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(doc.utf8Start).assumingMemoryBound(to: CChar.self),
            NativeType.makeTable(functions))
    }
}

extension GIL {
    // What CPython must be told around `fork(2)`, so that it drops what the child does not have and runs the functions
    // that `os.register_at_fork` collected.
    /// To be called before fork(2).
    public func beforeFork() { PyOS_BeforeFork() }
    /// After it, in the process that goes on.
    public func afterForkInParent() { PyOS_AfterFork_Parent() }
    /// After it, in the new process.
    public func afterForkInChild() { PyOS_AfterFork_Child() }
}
