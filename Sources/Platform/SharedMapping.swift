internal import Glibc

/// Memory that this process shares with those that it forks from now on: zeros at first, without a file (`mmap(2)`,
/// `MAP_SHARED | MAP_ANONYMOUS`). It lives until the last of them has ended, and survives the death of any.
///
/// It is a name, not an owner, as `Descriptor` is: whoever made it says who unmaps it, and nobody has to.
public struct SharedMapping: @unchecked Sendable {
    // `@unchecked`: an address. Whoever touches the memory does so atomically.

    /// Aligned to a page.
    public let base: UnsafeMutableRawPointer
    /// Whole pages.
    public let byteCount: Int

    /// - Parameter byteCount: the bytes needed, above 0.
    /// - Throws: `SystemError` when the system has no memory to give.
    public init(byteCount: Int) throws(SystemError) {
        let page = max(Int(sysconf(Int32(_SC_PAGESIZE))), 4096)
        let (rounded, overflow) = byteCount.addingReportingOverflow(page - 1)
        guard byteCount > 0, !overflow else { throw SystemError(.invalidArgument, call: "mmap") }
        self.byteCount = rounded / page * page
        let address = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        // `MAP_FAILED` is a cast macro, which Swift does not import.
        guard let address, Int(bitPattern: address) != -1 else { throw SystemError(.current, call: "mmap") }
        base = address
    }

    /// Gives this process's view up. The memory must not be touched afterwards.
    public func unmap() {
        _ = munmap(base, byteCount)
    }
}
