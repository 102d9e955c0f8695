internal import CSystem
internal import Glibc

/// The memory of a process, bytes (proc(5)).
public struct ProcessMemory: Equatable, Sendable {
    /// Pages in memory (RSS).
    public let resident: UInt64
    /// The same, pages that processes share divided among them (PSS). Nil where the kernel does not let this process
    /// see it: another user's process, or one that changed its user.
    public let proportional: UInt64?

    public init(resident: UInt64, proportional: UInt64? = nil) {
        self.resident = resident
        self.proportional = proportional
    }

    /// Nil for a process that is gone.
    public static func of(_ process: ProcessID) -> ProcessMemory? {
        guard let statistics = contents(of: "/proc/\(process)/statm") else { return nil }
        let words = statistics.split(separator: UInt8(ascii: " "))
        guard words.count > 1, let pages = number(words[1]) else { return nil }
        let proportional = contents(of: "/proc/\(process)/smaps_rollup").flatMap(proportionalBytes)
        return ProcessMemory(resident: pages * UInt64(max(1, getpagesize())), proportional: proportional)
    }

    /// Gives what this process has freed back to the system, before others are forked from it (`malloc_trim(3)`).
    public static func giveBack() { csystem_memory_trim() }

    /// The line `Pss:   1234 kB`.
    static func proportionalBytes(_ rollup: [UInt8]) -> UInt64? {
        let name = Array("Pss:".utf8)
        for line in rollup.split(separator: UInt8(ascii: "\n")) where line.starts(with: name) {
            let words = line.dropFirst(name.count).split(separator: UInt8(ascii: " "))
            return words.first.flatMap(number).map { $0 &* 1024 }
        }
        return nil
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        UInt64(String(decoding: digits, as: UTF8.self))
    }

    /// Files of `/proc` have no size: what one page holds is more than these ever say.
    private static func contents(of path: String) -> [UInt8]? {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = Descriptor(rawValue: number)
        defer { file.close() }
        return [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
        }
    }
}
