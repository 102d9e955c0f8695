internal import Platform
public import PythonBridge
public import Transport

/// Where an application's errors are told.
public struct ApplicationLog {
    private let report: PyPointer
    private let forkEnd: PyPointer
    private let isWritten: (Notice.Level, borrowing GIL) -> Bool
    private let line: (Notice.Level, String, borrowing GIL) -> Void

    /// - Parameters:
    ///   - report: a Python callable `(message, type, value, traceback)`.
    ///   - forkEnd: a Python callable that ends a process which the application forked, by the exception that it is
    ///     given, or None.
    ///   - isWritten: whether a line of a level would be written.
    ///   - line: writes a line.
    public init(
        _ report: borrowing some PythonObject, forkEnd: borrowing some PythonObject,
        isWritten: @escaping (Notice.Level, borrowing GIL) -> Bool,
        line: @escaping (Notice.Level, String, borrowing GIL) -> Void, _ gil: borrowing GIL
    ) {
        gil.retain(report)
        gil.retain(forkEnd)
        self.report = report.pointer
        self.forkEnd = forkEnd.pointer
        self.isWritten = isWritten
        self.line = line
    }

    func warning(_ message: String, _ gil: borrowing GIL) { line(.warning, message, gil) }

    /// The message is made only if it is written: what happens often should cost nothing where nobody reads of it.
    func debug(_ message: @autoclosure () -> String, _ gil: borrowing GIL) {
        if isWritten(.debug, gil) { line(.debug, message(), gil) }
    }

    func exception(_ message: String, _ exception: borrowing PythonException, _ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(
                report, try gil.string(message), exception.type.pointer, exception.value.pointer,
                exception.traceback.pointer)
        } catch {
            // The logger itself failed: CPython's own last resort prints it.
            gil.writeUnraisable()
        }
    }

    /// Ends a process that the application forked, by the exception that is set, if one is.
    func leaveFork(_ gil: borrowing GIL) -> Never {
        do throws(PythonError) {
            if gil.isErrorSet {
                _ = try gil.call(forkEnd, gil.takeException().value)
            } else {
                _ = try gil.call(forkEnd, gil.none())
            }
        } catch {
            gil.writeUnraisable()
        }
        Process.exitImmediately(1)
    }
}
