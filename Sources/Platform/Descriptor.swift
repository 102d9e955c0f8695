internal import CSystem
internal import Glibc

/// An open file description's number. It is a name, not an owner: whoever opened it says who closes it.
public struct Descriptor: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int32

    /// A name for a number; nothing is opened.
    @inlinable public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The process's `stderr`, `stdio(3)`.
    public static let standardError = Descriptor(rawValue: STDERR_FILENO)

    /// Closes it. Errors are of no use here: the number is free afterwards whatever `close(2)` says.
    public func close() {
        _ = Glibc.close(rawValue)
    }

    /// `read(2)`; 0 is the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try nonBlockingCall("read") { Glibc.read(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// `pread(2)` until the buffer is full or the file ends. Returns the bytes read.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = try systemCall("pread") {
                pread(rawValue, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Reads from a file what needs no wait for a disk (`preadv2(2)`, `RWF_NOWAIT`); 0 is the end of the file.
    /// `.wouldBlock` says nothing of why: whoever waits for the disk learns it.
    public func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(SystemError) -> IOResult<Int> {
        try nonBlockingCall("preadv2") {
            csystem_read_cached(rawValue, buffer.baseAddress, buffer.count, off_t(offset))
        }
    }

    /// Whether a byte of a file is in the system's memory, as far as can be told. If not, it is on its way there.
    public func isCached(at offset: Int) -> Bool {
        var byte: UInt8 = 0
        return csystem_read_cached(rawValue, &byte, 1, off_t(offset)) >= 0
    }

    /// Keeps the system from reading ahead by itself, for whoever has this open file (`POSIX_FADV_RANDOM`): it is told
    /// what to read by `readAhead`.
    public func expectExplicitReadAhead() {
        // Where that is not possible, all is as it would be without.
        _ = posix_fadvise(rawValue, 0, 0, POSIX_FADV_RANDOM)
    }

    /// Has the system begin to read part of a file, and does not wait for it (`POSIX_FADV_WILLNEED`).
    public func readAhead(_ range: Range<Int>) {
        _ = posix_fadvise(rawValue, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
    }

    /// `write(2)` until all is written: for files and other descriptors that block.
    public func writeAll(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            done += try systemCall("write") {
                Glibc.write(rawValue, buffer.baseAddress! + done, buffer.count - done)
            }
        }
    }

    /// Cuts a file off behind its first `size` bytes (`ftruncate(2)`), which frees the blocks of the others.
    public func truncate(to size: Int) throws(SystemError) {
        _ = try systemCall("ftruncate") { ftruncate(rawValue, off_t(size)) }
    }

    /// The number of what this is a descriptor of, whatever process asks by whichever of its descriptors (`fstat(2)`).
    /// Of sockets no two that exist have the same.
    public var inode: UInt64? {
        var status = stat()
        return fstat(rawValue, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Bytes of a regular file; nil for anything else (`fstat(2)`).
    public func regularFileSize() -> Int? {
        var status = stat()
        guard fstat(rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Another number for the same open file, closed on exec (`F_DUPFD_CLOEXEC`).
    public func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(rawValue: try systemCall("fcntl") { csystem_duplicate(rawValue) })
    }

    /// Lets it live on in the program that this process becomes.
    public func keepOnExec() throws(SystemError) {
        _ = try systemCall("fcntl") { csystem_keep_on_exec(rawValue) }
    }

    /// A new unnamed file in a directory, readable and writable, gone when closed (`open(2)`, `O_TMPFILE`).
    public static func unnamedFile(in directory: String) throws(SystemError) -> Descriptor {
        Descriptor(rawValue: try systemCall("open") { csystem_open_unnamed(directory) })
    }
}
