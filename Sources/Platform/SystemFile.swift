internal import CSystem
internal import Glibc

/// Small files in which the kernel tells something: proc(5), cgroups(7).
enum SystemFile {
    /// The first 16 KiB of it; nil when it cannot be read or is no UTF-8.
    static func text(_ path: String) -> String? {
        let number = csystem_open_to_read(path)
        guard number >= 0 else { return nil }
        let descriptor = Descriptor(rawValue: number)
        defer { descriptor.close() }
        let bytes = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
            count = (try? descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
        }
        return bytes.isEmpty ? nil : String(validating: bytes, as: UTF8.self)
    }
}
