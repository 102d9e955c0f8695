/// Where an application is mounted: SCRIPT_NAME. RFC 3875 §4.1.13.
public enum MountPoint {
    /// How many bytes of a path stand for the mount point; nil when the path is not below it.
    ///
    /// A mount point ends where a segment does: `/app` holds `/app` and `/app/x`, and not `/apple`.
    public static func length(of mount: some Collection<UInt8>, in path: UnsafeRawBufferPointer) -> Int? {
        let count = mount.count
        if count == 0 { return 0 }
        guard path.starts(with: mount), path.count == count || path[count] == UInt8(ascii: "/") else { return nil }
        return count
    }
}
