internal import CSystem
internal import Glibc

/// The name of a unix socket, and the file that stands for it.
struct UnixPath {
    /// The most bytes of a path: `sun_path` less its NUL (`unix(7)`).
    static let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Tells one file from another that later has the same path.
    struct Identity: Equatable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    let path: String
    /// The path as the user writes it: `unix:/run/app.sock`.
    let bind: String

    /// An abstract name begins with a NUL byte and has no file.
    var isAbstract: Bool { path.utf8.first == 0 }

    /// - Throws: `ListenError` for an empty path, an embedded NUL, or too many bytes.
    init(_ path: String) throws(ListenError) {
        self.path = path
        bind = "unix:" + (path.utf8.first == 0 ? "@" + path.dropFirst() : path)
        guard !path.isEmpty, !path.utf8.dropFirst().contains(0) else { throw ListenError(bind, .pathInvalid) }
        guard path.utf8.count <= Self.longest else { throw ListenError(bind, .pathTooLong(bytes: path.utf8.count)) }
    }

    /// Calls `body` with the socket address.
    func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // An abstract name ends where the length says, a path at its NUL.
        let length = MemoryLayout<sa_family_t>.size + path.utf8.count + (isAbstract ? 0 : 1)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }

    /// What stands at the path now; nil when nothing does. A symbolic link is itself, not what it points to.
    private func status() throws(SystemError) -> stat? {
        var status = stat()
        do throws(SystemError) {
            _ = try systemCall("lstat") { lstat(path, &status) }
        } catch {
            if error.errno == .noSuchFile { return nil }
            throw error
        }
        return status
    }

    /// The file that stands at the path; nil when there is none or the name is abstract.
    func identity() -> Identity? {
        guard !isAbstract, let status = try? status() else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Removes the file if it is still this one.
    func remove(_ identity: Identity) {
        if self.identity() == identity { _ = unlink(path) }
    }

    /// Gives the file to another user or group (`lchown(2)`). A process without privileges gives to groups of its own.
    func give(to owner: (user: Int?, group: Int?)) throws(SystemError) {
        guard owner.user != nil || owner.group != nil else { return }
        // -1 leaves it.
        let (user, group) = (uid_t(truncatingIfNeeded: owner.user ?? -1), gid_t(truncatingIfNeeded: owner.group ?? -1))
        _ = try systemCall("lchown") { lchown(path, user, group) }
    }

    /// Makes room at the path: removes a socket that a server left behind when it was killed. The caller holds the
    /// lock.
    ///
    /// - Throws: `ListenError`: `addressInUse` when somebody accepts on it or is about to, `notASocket` when it is
    ///   another kind of file.
    func removeStale() throws(ListenError) {
        if isAbstract { return }
        guard let status = try explaining({ () throws(SystemError) in try status() }) else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw ListenError(bind, .notASocket) }
        // The kernel refuses a connection exactly when nobody listens. Any other answer, a full queue included, comes
        // from a socket in use.
        switch try explaining({ () throws(SystemError) in try probe() }) {
        case .connectionRefused?:
            // Another program, which knows nothing of our lock, may be between its `bind` and its `listen`.
            if isBoundByAStarter() { throw ListenError(bind, .addressInUse) }
            // Somebody else may have removed it in the meantime, which is as good.
            if unlink(path) == -1, Errno.current != .noSuchFile {
                throw ListenError(bind, reason(SystemError(.current, call: "unlink")))
            }
        case .noSuchFile?: return
        case .permissionDenied?: throw ListenError(bind, .pathNotPermitted)
        default: throw ListenError(bind, .addressInUse)
        }
    }

    /// Connects once, without waiting. Nil when it was accepted.
    private func probe() throws(SystemError) -> Errno? {
        let descriptor = try Descriptor.streamSocket(family: AF_UNIX)
        defer { descriptor.close() }
        do throws(SystemError) {
            _ = try systemCall("connect") { withAddress { connect(descriptor.rawValue, $0, $1) } }
            return nil
        } catch {
            return error.errno
        }
    }

    private func explaining<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(ListenError) -> Result {
        do throws(SystemError) { return try body() } catch { throw ListenError(bind, reason(error)) }
    }

    /// What an error of `bind(2)` or `lstat(2)` means for a path.
    func reason(_ error: SystemError) -> ListenError.Reason {
        switch error.errno {
        case .addressInUse: .addressInUse
        case .permissionDenied, .notPermitted, .readOnlyFileSystem: .pathNotPermitted
        case .noSuchFile, .notADirectory: .noSuchDirectory
        default: .failed(error)
        }
    }
}

extension Descriptor {
    /// The abstract name that a Unix socket is bound to, without its NUL; nil when it has none (`unix(7)`).
    func abstractName() -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(rawValue, $0, &size) }
        }
        let length = Int(size) - MemoryLayout<sa_family_t>.size
        guard result == 0, length > 1, address.sun_path.0 == 0 else { return nil }
        return withUnsafeBytes(of: &address.sun_path) { String(decoding: $0.prefix(length).dropFirst(), as: UTF8.self) }
    }
}

extension Errno {
    static let notADirectory = Errno(rawValue: ENOTDIR)
    static let readOnlyFileSystem = Errno(rawValue: EROFS)
}
