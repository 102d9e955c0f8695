internal import Arbiter
internal import Platform
internal import PythonBridge
internal import Settings

/// The configurations by their numbers: a worker finds its own there, after the fork.
final class Configurations {
    private var all: [Int: ServerConfiguration]

    init(first: ServerConfiguration) {
        all = [1: first]
    }

    subscript(_ generation: Int) -> ServerConfiguration {
        get { all[generation]! }
        set { all[generation] = newValue }
    }
}

extension Server {
    /// What the arbiter needs of Python. It runs on the thread on which Python called us: the lock is held in all of
    /// these, but for the body of `blocking`, which does not touch Python.
    func arbiterHost(_ configurations: Configurations) -> ArbiterHost {
        ArbiterHost(
            log: { level, message in host.log(level, message, GIL.heldByCaller()) },
            beforeFork: { GIL.heldByCaller().beforeFork() },
            afterForkInParent: { GIL.heldByCaller().afterForkInParent() },
            afterForkInChild: { GIL.heldByCaller().afterForkInChild() },
            blocking: { body in
                var gil = GIL.heldByCaller()
                gil.released(body)
            },
            checkPythonSignals: {
                let gil = GIL.heldByCaller()
                do throws(PythonError) {
                    try gil.checkSignals()
                    return nil
                } catch {
                    host.logException("A signal handler raised in the arbiter", gil)
                    return 1
                }
            },
            notify: { event in host.notify(event, GIL.heldByCaller()) },
            readConfiguration: { generation in
                guard let (configuration, name) = host.readConfiguration(generation, GIL.heldByCaller()) else {
                    return nil
                }
                configurations[generation] = configuration
                return Server(configuration: configuration, host: host).arbiterConfiguration(processName: name)
            },
            namedFiles: { host.namedFiles(GIL.heldByCaller()) },
            preload: { reports in host.preload(reports, GIL.heldByCaller()) },
            execute: { variables in host.execute(variables, GIL.heldByCaller()) })
    }
}
