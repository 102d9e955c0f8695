internal import Platform
internal import PythonBridge
internal import Settings
internal import Telemetry
internal import WSGI
internal import Worker

/// Who is told of a worker's requests, as Python and the settings say.
extension Host {
    func workerTelemetry(
        _ configuration: ServerConfiguration, listeners: [Descriptor], _ gil: borrowing GIL
    ) throws(PythonError) -> WorkerTelemetry {
        var telemetry = WorkerTelemetry()
        if let (format, descriptor) = try accessLog(configuration, gil) {
            telemetry.accessLog = AccessLog(
                format: format, isJSON: configuration.accessLogJSON, mount: configuration.rootPath,
                descriptor: descriptor)
            let (names, notesAddress) = (format.environNames, format.needsAddress)
            if !names.isEmpty || notesAddress {
                let read = try gil.attribute(object, "environ_texts").leak()
                telemetry.makeExcerpt = { (gil) throws(PythonError) in
                    try EnvironExcerpt(names, notesAddress: notesAddress, read: read, gil)
                }
            }
        }
        telemetry.reportLost = { count, cause, gil in self.reportLostLines(count, cause, gil) }
        if let number = try integer("statsd_descriptor", gil) {
            telemetry.statsd = StatsdReporter(
                format: StatsdFormat(prefix: configuration.statsdPrefix, tags: configuration.dogstatsdTags),
                socket: Descriptor(rawValue: Int32(clamping: number)),
                listeners: configuration.enableBacklogMetric ? listeners : [])
        }
        let observer = try gil.call(try gil.attribute(object, "observer"))
        // None where nobody asks to be told.
        guard try gil.isTrue(observer) else { return telemetry }
        if try gil.isTrue(try gil.attribute(observer, "logs")) {
            let (refused, left) = (
                try gil.attribute(observer, "refused").leak(), try gil.attribute(observer, "left").leak()
            )
            telemetry.untold = (UntoldRequests(), { Self.tell($0, refused, $1) }, { Self.tell($0, left, $1) })
        }
        let kept = observer.leak()
        telemetry.makeHooks = { (gil) throws(PythonError) in try RequestHooks(kept, gil) }
        return telemetry
    }

    /// - Parameter method: the observer's.
    private static func tell(_ request: RefusedRequest, _ method: PyPointer, _ gil: borrowing GIL) {
        do throws(PythonError) {
            let arguments = try gil.list()
            for range in [0..<request.head.count, request.method, request.target, request.version] {
                try gil.append(arguments, try gil.string(latin1: request.head[range]))
            }
            try gil.append(arguments, try gil.string(request.address ?? ""))
            for number in [request.status, request.bodyCount, Int(request.duration / 1000)] {
                try gil.append(arguments, try gil.integer(number))
            }
            _ = try gil.call(method, list: arguments)
        } catch {
            gil.writeUnraisable()
        }
    }

    /// - Parameter method: the observer's.
    private static func tell(_ request: LateRequest, _ method: PyPointer, _ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(
                method, try gil.integer(request.ticket), try gil.integer(request.bodyCount),
                try gil.integer(Int(request.duration / 1000)))
        } catch {
            gil.writeUnraisable()
        }
    }

    /// Nil where there is no access log, or Python writes it.
    private func accessLog(
        _ configuration: ServerConfiguration, _ gil: borrowing GIL
    ) throws(PythonError) -> (format: AccessLogFormat, descriptor: Descriptor)? {
        let isPythons = try gil.call(try gil.attribute(object, "needs_python_access_log"))
        if try gil.isTrue(isPythons) { return nil }
        guard let number = try integer("access_descriptor", gil) else { return nil }
        do throws(AccessLogFormatError) {
            return (
                try AccessLogFormat(configuration.accessLogFormat), own(Descriptor(rawValue: Int32(clamping: number)))
            )
        } catch {
            throw gil.raise(.valueError, "access_log_format: \(error)")
        }
    }

    /// A descriptor that stays open. That of a file does, and is opened anew under the same number. Python's own
    /// opening of a pipe it closes when stdout becomes something else.
    private func own(_ descriptor: Descriptor) -> Descriptor {
        guard descriptor.kind == .other, descriptor.rawValue > 2, let copy = try? descriptor.duplicate() else {
            return descriptor
        }
        return copy
    }

    /// What a method returns that takes no arguments; nil for None.
    private func integer(_ method: String, _ gil: borrowing GIL) throws(PythonError) -> Int? {
        gil.integerValue(try gil.call(try gil.attribute(object, method)))
    }

    private func reportLostLines(_ count: Int, _ cause: Int32, _ gil: borrowing GIL) {
        do throws(PythonError) {
            let method = try gil.attribute(object, "report_lost_access_lines")
            _ = try gil.call(method, try gil.integer(count), try gil.integer(Int(cause)))
        } catch {
            gil.writeUnraisable()
        }
    }
}
