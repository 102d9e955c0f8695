internal import Platform

/// The masters before and after this one, when one program takes the place of another (USR2).
struct Succession {
    /// The master that started this one, while it lives.
    private(set) var predecessor: ProcessID?
    /// The descriptors that it handed over.
    private(set) var inherited: [Int32] = []
    /// The master that this one started, while it lives.
    var successor: ProcessID?

    init() {}

    /// - Parameter environment: looks up a variable.
    init(environment: (String) -> String?) {
        guard let text = environment("GUNICORN_PID"), let pid = ProcessID(text), pid > 0 else { return }
        predecessor = pid
        inherited = (environment("GUNICORN_FD") ?? "").split(separator: ",").compactMap { Int32($0) }
    }

    var isSuccessor: Bool { predecessor != nil }

    /// As gunicorn calls it in its log.
    var masterName: String { isSuccessor ? "Master.2" : "Master" }

    /// Another master has the same sockets, and their files are as much its own.
    var sharesSockets: Bool { predecessor != nil || successor != nil }

    /// When to look again whether the predecessor lives.
    func deadline(at now: Nanoseconds) -> Nanoseconds? { isSuccessor ? now + .seconds(1) : nil }

    /// - Returns: true once, when the predecessor is gone.
    mutating func takePromotion() -> Bool {
        guard let predecessor, Process.parentID != predecessor else { return false }
        self.predecessor = nil
        return true
    }
}
