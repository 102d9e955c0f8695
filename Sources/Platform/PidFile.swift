internal import CSystem
internal import Glibc

/// A file that holds a process id, for those who send signals.
public struct PidFile: Sendable {
    /// Where the file is.
    public let path: String
    private let pid: ProcessID

    /// Why a pid file cannot be had: one line for the user.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The process that the file names is alive.
        case running(ProcessID, path: String)
        case unwritable(path: String, SystemError)

        public var description: String {
            switch self {
            case .running(let pid, let path): "Already running on PID \(pid) (or pid file '\(path)' is stale)"
            case .unwritable(let path, let error): "Can't create the pid file '\(path)': \(error)"
            }
        }
    }

    /// Writes the calling process's id, in place of one whose process is gone. The file appears whole or not at all,
    /// and all may read it.
    public init(creating path: String) throws(Failure) {
        self.path = path
        pid = Process.id
        if let other = Self.living(path), other != pid { throw .running(other, path: path) }
        do throws(SystemError) {
            try write()
        } catch {
            throw .unwritable(path: path, error)
        }
    }

    private func write() throws(SystemError) {
        let draft = "\(path).\(pid)"
        // Left behind by an earlier process of this number.
        _ = unlink(draft)
        let descriptor = Descriptor(
            rawValue: try systemCall("open") { csystem_open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644) })
        do throws(SystemError) {
            defer { descriptor.close() }
            // Whatever the umask is.
            _ = try systemCall("fchmod") { fchmod(descriptor.rawValue, 0o644) }
            let text = Array("\(pid)\n".utf8)
            try text.withUnsafeBufferPointer { (bytes) throws(SystemError) in
                try descriptor.writeAll(UnsafeRawBufferPointer(bytes))
            }
            _ = try systemCall("rename") { rename(draft, path) }
        } catch {
            _ = unlink(draft)
            throw error
        }
    }

    /// Removes the file, unless it names another process by now.
    public func remove() {
        if Self.named(path) == pid { _ = unlink(path) }
    }

    /// The process that a file names, if it is alive. One that belongs to another user is; one that has ended, and was
    /// not reaped by a parent that does not care, is not.
    private static func living(_ path: String) -> ProcessID? {
        guard let pid = named(path), !Process.isZombie(pid) else { return nil }
        do throws(SystemError) {
            _ = try systemCall("kill") { kill(pid, 0) }
            return pid
        } catch {
            return error.errno == .notPermitted ? pid : nil
        }
    }

    /// The process id in a file; nil for anything else.
    private static func named(_ path: String) -> ProcessID? {
        let number = csystem_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard number >= 0 else { return nil }
        let descriptor = Descriptor(rawValue: number)
        defer { descriptor.close() }
        let bytes = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            count = (try? descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
        }
        let text = String(decoding: bytes, as: UTF8.self).prefix { !$0.isNewline && $0 != "\0" }
        guard let pid = ProcessID(text.filter { $0 != " " }), pid > 0 else { return nil }
        return pid
    }
}
