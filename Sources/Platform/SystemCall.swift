internal import Glibc

/// What a call on a non-blocking descriptor answers: "not now" is a value, not an error.
public enum IOResult<Value> {
    case processed(Value)
    case wouldBlock
}

extension IOResult: Sendable where Value: Sendable {}

/// The one way into the kernel: repeats a call that a signal interrupted, and turns -1 into a typed error.
///
/// - Throws: `SystemError` with the call's name.
@inline(__always)
func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ name: StaticString, _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let errno = Errno.current
        if errno == .interrupted { continue }
        throw SystemError(errno, call: "\(name)")
    }
}

/// The same for a call on a non-blocking descriptor.
///
/// - Throws: `SystemError` for anything but `EAGAIN`.
@inline(__always)
func nonBlockingCall<Result: FixedWidthInteger & SignedInteger>(
    _ name: StaticString, _ body: () -> Result
) throws(SystemError) -> IOResult<Result> {
    while true {
        let result = body()
        if result != -1 { return .processed(result) }
        let errno = Errno.current
        if errno == .interrupted { continue }
        if errno == .again { return .wouldBlock }
        throw SystemError(errno, call: "\(name)")
    }
}
