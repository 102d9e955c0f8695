internal import Platform

/// What an operator may tell the server to do: what a signal to the master, or a worker, does.
enum AdminOrder: Equatable {
    case tellMaster(Signal)
    case endWorker(ProcessID)

    /// - Parameter command: what stands behind `/ctl/`.
    init?(_ command: Substring, _ query: AdminQuery) {
        switch command {
        case "reload": self = .tellMaster(.hangUp)
        case "reopen": self = .tellMaster(.user1)
        case "upgrade": self = .tellMaster(.user2)
        case "quit": self = .tellMaster(query["now"] == "1" ? .quit : .terminate)
        // One at a time: of several signals of a kind that come at once, the kernel delivers one (signal(7)).
        case "workers/add": self = .tellMaster(.terminalInput)
        case "workers/remove": self = .tellMaster(.terminalOutput)
        case "workers/end":
            guard let process = query["pid"].flatMap({ ProcessID($0) }), process > 1 else { return nil }
            self = .endWorker(process)
        default: return nil
        }
    }
}

/// `name=value&…` of plain words.
struct AdminQuery {
    private let pairs: [(name: Substring, value: Substring)]

    init(_ text: String) {
        pairs = text.split(separator: "&").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
    }

    subscript(name: String) -> String? { pairs.first { $0.name == name }.map { String($0.value) } }
}
