internal import CSystem
internal import Glibc

extension UnixPath {
    /// How often the lock is tried, and the milliseconds between two attempts. Whoever has it makes a dozen system
    /// calls.
    private static let attempts = 100
    private static let pause: Int32 = 10

    /// Runs `body` while no other server of ours looks at this path or takes it: checking who listens, removing a file
    /// that was left behind, binding and listening are several system calls, and two servers that start at once must
    /// not take turns in them. An abstract name needs no lock: the kernel gives it to one.
    ///
    /// The lock is a file beside the socket and goes with the call. A server that is killed in between leaves the file
    /// but not the lock.
    ///
    /// - Throws: what `body` throws; `ListenError`, `addressInUse`, when another server has the lock for a second.
    func whileLocked<Result>(_ body: () throws(ListenError) -> Result) throws(ListenError) -> Result {
        if isAbstract { return try body() }
        let file = path + ".lock"
        let lock: Descriptor
        do throws(SystemError) {
            guard let taken = try Self.lock(file) else { throw SystemError(.addressInUse, call: "flock") }
            lock = taken
        } catch {
            throw ListenError(bind, reason(error))
        }
        defer {
            // In this order: who opened the file meanwhile finds out that it is no longer the one with the name.
            _ = unlink(file)
            lock.close()
        }
        return try body()
    }

    /// - Returns: the open lock file; nil when another process keeps it locked.
    private static func lock(_ file: String) throws(SystemError) -> Descriptor? {
        for _ in 0..<attempts {
            let descriptor = Descriptor(rawValue: try systemCall("open") { csystem_open_lock(file) })
            let isLocked = try descriptor.closingOnError { () throws(SystemError) in
                switch try nonBlockingCall("flock", { flock(descriptor.rawValue, LOCK_EX | LOCK_NB) }) {
                case .processed: true
                case .wouldBlock: false
                }
            }
            // Its former holder may have removed the file between the two calls: a lock on that one locks nothing.
            if isLocked, descriptor.isFile(at: file) { return descriptor }
            descriptor.close()
            if !isLocked { poll(nil, 0, pause) }
        }
        return nil
    }

    /// Whether a socket is bound to the file that stands at the path and does not listen yet: the kernel refuses
    /// clients there as it does where nobody is left, but its server is on its way.
    ///
    /// The kernel's table of Unix sockets tells it (`/proc/net/unix`, proc_pid_net(5)). It has the sockets of this
    /// network namespace only, and where it cannot be read there are none.
    func isBoundByAStarter() -> Bool {
        guard let mine = identity() else { return false }
        for line in Self.socketTable().split(separator: UInt8(ascii: "\n")) {
            // Num, reference count, protocol, flags, type, state, inode, path.
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 7, omittingEmptySubsequences: true)
            guard fields.count == 8, let flags = UInt32(String(decoding: fields[3], as: UTF8.self), radix: 16) else {
                continue
            }
            // A stream socket (1) that is neither connected (state 1) nor listening.
            let isWaiting = flags & Self.acceptsConnections == 0
            guard isWaiting, fields[4].elementsEqual("0001".utf8), fields[5].elementsEqual("01".utf8) else { continue }
            if let other = try? UnixPath(String(decoding: fields[7], as: UTF8.self)), other.identity() == mine {
                return true
            }
        }
        return false
    }

    /// `__SO_ACCEPTCON` of the kernel's headers.
    private static let acceptsConnections: UInt32 = 0x10000

    private static func socketTable() -> [UInt8] {
        let file = csystem_open_to_read("/proc/net/unix")
        guard file >= 0 else { return [] }
        let descriptor = Descriptor(rawValue: file)
        defer { descriptor.close() }
        var table: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                if case .processed(let count)? = try? descriptor.read(into: bytes) { count } else { 0 }
            }
            if count == 0 { return table }
            table += buffer.prefix(count)
        }
    }
}

extension Descriptor {
    /// Whether the path leads to this very file.
    fileprivate func isFile(at path: String) -> Bool {
        var mine = stat()
        var there = stat()
        return fstat(rawValue, &mine) == 0 && lstat(path, &there) == 0 && mine.st_dev == there.st_dev
            && mine.st_ino == there.st_ino
    }
}
