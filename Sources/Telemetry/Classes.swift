// What is counted apart. Every enumeration has few cases, known beforehand, so that no client can make the number of
// metrics grow, and its raw values are places in the scoreboard: they are never given to another case.

/// Request methods that are counted apart.
public enum MethodClass: UInt8, CaseIterable, Sendable {
    case get, head, post, put, patch, delete, options
    /// Every other method.
    case other

    /// The class of a method, by its bytes.
    @inlinable
    public init(_ method: UnsafeRawBufferPointer) {
        func isEqual(_ name: StaticString) -> Bool {
            guard method.count == name.utf8CodeUnitCount else { return false }
            for index in 0..<method.count where method[index] != name.utf8Start[index] { return false }
            return true
        }
        guard let first = method.first else {
            self = .other
            return
        }
        switch first {
        case UInt8(ascii: "G") where isEqual("GET"): self = .get
        case UInt8(ascii: "H") where isEqual("HEAD"): self = .head
        case UInt8(ascii: "P") where isEqual("POST"): self = .post
        case UInt8(ascii: "P") where isEqual("PUT"): self = .put
        case UInt8(ascii: "P") where isEqual("PATCH"): self = .patch
        case UInt8(ascii: "D") where isEqual("DELETE"): self = .delete
        case UInt8(ascii: "O") where isEqual("OPTIONS"): self = .options
        default: self = .other
        }
    }

    /// As a label's value.
    public var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .other: "other"
        }
    }
}

/// The first digit of a response's status.
public enum StatusClass: UInt8, CaseIterable, Sendable {
    /// No status was sent: the client left before.
    case none
    case informational, success, redirection, clientError, serverError

    @inlinable
    public init(status: Int) {
        switch status {
        case 200..<300: self = .success
        case 300..<400: self = .redirection
        case 400..<500: self = .clientError
        case 500..<600: self = .serverError
        case 100..<200: self = .informational
        default: self = .none
        }
    }

    /// As a label's value.
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .informational: "1xx"
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        }
    }
}

/// Which time was up.
public enum TimeoutClass: UInt8, CaseIterable, Sendable {
    case head, idle, body, write, linger
    /// The application took longer than the worker's `timeout`.
    case application

    public var name: StaticString {
        switch self {
        case .head: "head"
        case .idle: "idle"
        case .body: "body"
        case .write: "write"
        case .linger: "linger"
        case .application: "application"
        }
    }
}

/// Where a connection stands.
public enum ConnectionClass: UInt8, CaseIterable, Sendable {
    case preamble, idle, head, body, held, running, draining, discarding, lingering

    public var name: StaticString {
        switch self {
        case .preamble: "preamble"
        case .idle: "idle"
        case .head: "head"
        case .body: "body"
        case .held: "held"
        case .running: "running"
        case .draining: "draining"
        case .discarding: "discarding"
        case .lingering: "lingering"
        }
    }
}

/// Where an exchange under way stands.
public enum ExchangePhase: UInt8, CaseIterable, Sendable {
    /// The slot's runner has none.
    case none
    /// The request is complete and waits for the application.
    case waiting
    case application
    /// The application returned; the response is being sent.
    case response

    public var name: StaticString {
        switch self {
        case .none: "none"
        case .waiting: "waiting"
        case .application: "application"
        case .response: "response"
        }
    }
}

/// A cell's life.
public enum CellLifetime: UInt8, CaseIterable, Sendable {
    /// Nobody's.
    case free
    /// The arbiter gave it to a worker that is about to be forked.
    case assigned
    /// The worker loads the application.
    case booting
    case serving
    /// It finishes what it has and takes nothing new.
    case leaving

    public var name: StaticString {
        switch self {
        case .free: "free"
        case .assigned: "assigned"
        case .booting: "booting"
        case .serving: "serving"
        case .leaving: "leaving"
        }
    }
}

/// Why a worker ended.
public enum WorkerEnd: UInt8, CaseIterable, Sendable {
    /// It was told to: a stop, a reload, fewer workers.
    case asked
    /// It had served `max_requests`, or had grown too large.
    case recycled
    /// It did not answer for `timeout`.
    case timedOut
    /// It ended before it served.
    case failedToBoot
    /// It exited by itself.
    case exited
    /// A signal that the arbiter did not send ended it: a crash, the kernel's out-of-memory killer.
    case killed

    public var name: StaticString {
        switch self {
        case .asked: "asked"
        case .recycled: "recycled"
        case .timedOut: "timed-out"
        case .failedToBoot: "failed-to-boot"
        case .exited: "exited"
        case .killed: "killed"
        }
    }
}
