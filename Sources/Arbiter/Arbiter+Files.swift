internal import Platform
internal import Supervision

/// Reloads when the code changes (`--reload`).
extension Arbiter {
    /// How many of the files that changed are named in the log.
    private static let mostNamed = 3

    /// Before workers of a configuration are forked that asks for it: they report their files.
    func watchFiles(for configuration: ArbiterConfiguration) {
        guard let engine = configuration.reloadEngine, reloadWatch == nil else { return }
        do throws(SystemError) {
            reloadWatch = try ReloadWatch(
                engine: engine, at: Clock.now(), expand: host.namedFiles, warn: { [host] in host.log(.warning, $0) })
        } catch {
            host.log(.error, "Files cannot be watched for changes: \(error)")
        }
    }

    /// Once no configuration needs it.
    func stopWatchingFiles() {
        guard current.configuration.reloadEngine == nil, let watch = reloadWatch else { return }
        reloadWatch = nil
        watch.close()
        watch.reportDescriptor.close()
    }

    func lookAtFiles() {
        guard supervisor.isServing, let changed = reloadWatch?.turn(at: Clock.now()) else { return }
        let rest = changed.count - Self.mostNamed
        let names = changed.prefix(Self.mostNamed).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
        host.log(.info, "Worker reloading: \(changed.isEmpty ? "files" : names) modified")
        reload(because: .filesChanged)
    }
}
