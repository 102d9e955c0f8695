internal import Arbiter
internal import Platform
internal import PythonBridge
internal import Settings
internal import Supervision

/// What happens in the master, told to Python.
extension Host {
    /// Tells an event; python/monoceros/arbiter.py has a method for each.
    func notify(_ event: ArbiterEvent, _ gil: borrowing GIL) -> EventOutcome {
        do throws(PythonError) {
            let answer = try tell(event, gil)
            guard gil.isTuple(answer), gil.count(answer) == 2, let word = gil.text(try gil.item(answer, 0)),
                let number = gil.integerValue(try gil.item(answer, 1))
            else { return .failed }
            switch word {
            case "done": return .done
            case "workers": return .workers(number)
            case "halt": return .halt(Int32(clamping: number))
            default: return .failed
            }
        } catch {
            logException("An event of the master could not be told", gil)
            return .failed
        }
    }

    private func tell(_ event: ArbiterEvent, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        switch event {
        case .workersChanged(let new, let old):
            try call("workers_changed", [try gil.integer(new).leak(), try optional(old, gil)], gil)
        case .starting: try call("starting", [], gil)
        case .ready: try call("ready", [], gil)
        case .listening(let generation, let sockets):
            try call("listening", [try gil.integer(generation).leak(), try list(sockets, gil).leak()], gil)
        case .reloading(let generation): try call("reloading", [try gil.integer(generation).leak()], gil)
        case .adopted(let generation): try call("adopted", [try gil.integer(generation).leak()], gil)
        case .abandoned(let generation): try call("abandoned", [try gil.integer(generation).leak()], gil)
        case .reopenLogs: try call("reopen_logs", [], gil)
        case .willFork(let age, let generation):
            try call("will_fork", [try gil.integer(age).leak(), try gil.integer(generation).leak()], gil)
        case .willOrder(let age, let generation):
            try call("will_order", [try gil.integer(age).leak(), try gil.integer(generation).leak()], gil)
        case .willForkFromMold(let age, let generation):
            try call("will_fork_from_mold", [try gil.integer(age).leak(), try gil.integer(generation).leak()], gil)
        case .willPreload(let generation): try call("will_preload", [try gil.integer(generation).leak()], gil)
        case .didForkMold: try call("did_fork_mold", [], gil)
        case .forked(let pid, let age, let generation):
            try call(
                "forked",
                [
                    try optional(pid.map(Int.init), gil), try gil.integer(age).leak(),
                    try gil.integer(generation).leak(),
                ], gil)
        case .workerExited(let pid, let didBoot):
            try call("worker_exited", [try gil.integer(Int(pid)).leak(), try boolean(didBoot, gil)], gil)
        case .workerBecameMold(let pid): try call("worker_became_mold", [try gil.integer(Int(pid)).leak()], gil)
        case .moldExited(let pid): try call("mold_exited", [try gil.integer(Int(pid)).leak()], gil)
        case .successor(let pid): try call("successor", [try optional(pid.map(Int.init), gil)], gil)
        case .willExecute: try call("will_execute", [], gil)
        case .promoted: try call("promoted", [], gil)
        case .exiting: try call("exiting", [], gil)
        }
    }

    /// - Parameter arguments: owned; they are given back here.
    private func call(
        _ event: String, _ arguments: [PyPointer], _ gil: borrowing GIL
    ) throws(PythonError) -> PyRef {
        defer { for argument in arguments { gil.release(argument) } }
        let method = try gil.attribute(object, "notify")
        let name = try gil.string(event)
        switch arguments.count {
        case 0: return try gil.call(method, name)
        case 1: return try gil.call(method, name, arguments[0])
        case 2: return try gil.call(method, name, arguments[0], arguments[1])
        default: return try gil.call(method, name, arguments[0], arguments[1], arguments[2])
        }
    }

    private func optional(_ number: Int?, _ gil: borrowing GIL) throws(PythonError) -> PyPointer {
        guard let number else { return gil.newNone() }
        return try gil.integer(number).leak()
    }

    private func boolean(_ value: Bool, _ gil: borrowing GIL) throws(PythonError) -> PyPointer {
        let object = gil.bool(value)
        gil.retain(object)
        return object
    }

    private func list(_ sockets: [ListeningSocket], _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        let list = try gil.list()
        for socket in sockets {
            let pair = try gil.pair(
                try gil.integer(Int(socket.descriptor.rawValue)), try gil.string(socket.url))
            try gil.append(list.pointer, pair)
        }
        return list
    }

    /// Reads the configuration again. Nil when that fails, which has been logged.
    func readConfiguration(
        _ generation: Int, _ gil: borrowing GIL
    ) -> (configuration: ServerConfiguration, processName: String)? {
        do throws(PythonError) {
            let answer = try gil.call(
                try gil.attribute(object, "read_configuration"), try gil.integer(generation))
            guard gil.isTuple(answer), gil.count(answer) == 2 else { return nil }
            let configuration = try gil.serverConfiguration(try gil.item(answer, 0))
            return (configuration, gil.text(try gil.item(answer, 1)) ?? "")
        } catch {
            logException("The configuration cannot be used", gil)
            return nil
        }
    }

    /// The files that the configuration names for `--reload`.
    func namedFiles(_ gil: borrowing GIL) -> NamedFiles {
        do throws(PythonError) {
            let answer = try gil.call(try gil.attribute(object, "named_files"))
            guard gil.isTuple(answer), gil.count(answer) == 2 else { return NamedFiles() }
            return NamedFiles(
                files: try texts(try gil.item(answer, 0), gil), directories: try texts(try gil.item(answer, 1), gil))
        } catch {
            logException("The files to watch cannot be found", gil)
            return NamedFiles()
        }
    }

    private func texts(_ list: PyPointer, _ gil: borrowing GIL) throws(PythonError) -> Set<String> {
        guard gil.isList(list) else { return [] }
        var texts: Set<String> = []
        for index in 0..<gil.count(list) {
            if let text = gil.text(try gil.item(list, index)) { texts.insert(text) }
        }
        return texts
    }

    /// Loads the application for workers that are forked from this process.
    ///
    /// - Returns: nil when that went well; otherwise the exit status, and the reason was reported.
    func preload(_ reports: Descriptor?, _ gil: borrowing GIL) -> Int32? {
        do throws(PythonError) {
            let load = try gil.attribute(object, "preload")
            let number = reports.map { Int($0.rawValue) } ?? -1
            let status = gil.integerValue(try gil.call(load, try gil.integer(number))) ?? 1
            return status == 0 ? nil : Int32(clamping: status)
        } catch {
            logException("The application cannot be loaded", gil)
            return HaltReason.workerFailedToBoot.exitCode
        }
    }

    /// Becomes the program that this one was started as. Returns only when that fails, which has been logged.
    func execute(_ variables: [(name: String, value: String)], _ gil: borrowing GIL) {
        do throws(PythonError) {
            let list = try gil.list()
            for (name, value) in variables {
                try gil.append(list.pointer, try gil.pair(try gil.string(name), try gil.string(value)))
            }
            _ = try gil.call(try gil.attribute(object, "execute"), list)
        } catch {
            logException("The program could not be started again", gil)
        }
    }

    // MARK: In a worker

    /// - Throws: `PythonError`: a SystemExit with the worker's exit status, after the reason was reported.
    func beginWorker(_ gil: borrowing GIL) throws(PythonError) {
        _ = try gil.call(try gil.attribute(object, "begin_worker"))
    }

    /// - Throws: as `beginWorker`.
    func announceWorker(_ gil: borrowing GIL) throws(PythonError) {
        _ = try gil.call(try gil.attribute(object, "announce_worker"))
    }

    /// Prepares this process, a worker that has served, for having others forked from it.
    ///
    /// - Returns: false when that cannot be, for a reason that has been logged.
    func becomeMold(_ gil: borrowing GIL) -> Bool {
        do throws(PythonError) {
            return try gil.isTrue(try gil.call(try gil.attribute(object, "become_mold")))
        } catch {
            logException("The worker cannot have others forked from it", gil)
            return false
        }
    }

    /// Says by which exception a worker fails, the one that is set, unless it is a SystemExit.
    ///
    /// - Returns: the error to throw, a SystemExit with the worker's exit status.
    func failWorker(isReady: Bool, _ gil: borrowing GIL) -> PythonError {
        let exception = gil.takeException()
        do throws(PythonError) {
            _ = try gil.call(try gil.attribute(object, "fail_worker"), exception.value.pointer, gil.bool(isReady))
        } catch {
            return error
        }
        return gil.raiseSystemExit(HaltReason.workerFailedToBoot.exitCode)
    }

    func endWorker(_ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(try gil.attribute(object, "end_worker"))
        } catch {
            logException("The worker's end could not be told", gil)
        }
    }
}
