/// How changes of files are learned of.
public enum ReloadEngine: Equatable, Sendable {
    /// The kernel tells (inotify(7)).
    case inotify
    /// The files are looked at once a second.
    case poll
}

/// Files that the user names for `--reload`, and the directories in which another one could come to match.
public struct NamedFiles: Equatable, Sendable {
    public var files: Set<String>
    public var directories: Set<String>

    public init(files: Set<String> = [], directories: Set<String> = []) {
        self.files = files
        self.directories = directories
    }
}
