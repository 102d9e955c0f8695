internal import CSystem
internal import Glibc

extension Process {
    /// Sets what `ps` and `top` show for the calling process: as much of it as the command line has room for, and the
    /// first 15 bytes as the name of the process (`PR_SET_NAME`).
    public static func setTitle(_ title: String) {
        csystem_set_title(title)
    }
}
