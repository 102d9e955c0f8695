public import Telemetry

/// A path of the application's listeners that the server answers itself, before the application: for a load balancer
/// that has no other way in.
public struct HealthEndpoint: Sendable {
    /// Percent-encoded as in a request line: starts with a slash and does not end with one.
    let path: [UInt8]
    let readiness: @Sendable () -> Readiness

    public init(path: String, readiness: @escaping @Sendable () -> Readiness) {
        self.path = Array(path.utf8)
        self.readiness = readiness
    }

    enum Question {
        case health, readiness
    }

    /// What a request for a path asks; nil for what is the application's.
    @inline(__always)
    func question(_ bytes: UnsafeRawBufferPointer) -> Question? {
        guard bytes.count >= path.count else { return nil }
        return match(bytes)
    }

    private func match(_ bytes: UnsafeRawBufferPointer) -> Question? {
        guard path.withUnsafeBytes({ bytes.starts(with: $0) }) else { return nil }
        if bytes.count == path.count { return .health }
        let rest: StaticString = "/ready"
        let tail = UnsafeRawBufferPointer(rebasing: bytes[path.count...])
        return tail.elementsEqual(UnsafeRawBufferPointer(start: rest.utf8Start, count: rest.utf8CodeUnitCount))
            ? .readiness : nil
    }
}
