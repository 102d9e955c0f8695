internal import HTTPServer
internal import Platform
internal import PythonBridge
internal import Transport

/// Responses that the kernel sends from a file.
extension Response {
    /// Sends a plain file from its present position (`sendfile(2)`). The descriptor is duplicated: the application may
    /// close the file at once, and the reactor sends what the socket does not take.
    ///
    /// - Returns: false when it has to be read: it is no plain file of a known size, or the process has no descriptor
    ///   left, or it stands behind blocks of the application in a body whose length was not known when it began.
    func sendFile(_ file: PyPointer, _ gil: inout GIL) throws(PythonError) -> Bool {
        guard writer.takesFile else { return false }
        guard let descriptor = try descriptor(of: file, gil), let size = descriptor.regularFileSize(), size > 0,
            let offset = try answer(of: "tell", file, gil), offset >= 0
        else { return false }
        let available = max(0, size - offset)
        // Before the head says how the file is sent: the head cannot be taken back.
        var copy: Descriptor?
        if available > 0, writer.hasBody {
            guard let duplicate = try? descriptor.duplicate() else { return false }
            copy = duplicate
        }
        defer { copy?.close() }
        try commit(total: available, gil)
        postHead(&gil)
        guard let sent = copy, let connection else { return true }
        let count = writer.addFile(available)
        guard count > 0 else { return true }
        copy = nil
        output(&gil) { (releases, _) throws(OutputFailure) in
            try connection.transmit(file: sent, offset: offset, count: count, releasing: &releases)
        }
        return true
    }

    private func descriptor(of file: PyPointer, _ gil: borrowing GIL) throws(PythonError) -> Descriptor? {
        guard let number = try answer(of: "fileno", file, gil), let number = Int32(exactly: number), number >= 0 else {
            return nil
        }
        return Descriptor(rawValue: number)
    }

    /// What a method of a file answers; nil when it cannot, as with a pipe's position.
    private func answer(of method: String, _ file: PyPointer, _ gil: borrowing GIL) throws(PythonError) -> Int? {
        do throws(PythonError) {
            return try gil.int(try gil.call(try gil.attribute(file, method)))
        } catch {
            // io.UnsupportedOperation is both of these.
            guard gil.isRaised(.osError) || gil.isRaised(.valueError) else { throw error }
            gil.clearError()
            return nil
        }
    }
}
