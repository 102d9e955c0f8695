internal import HTTPWire
internal import Platform
internal import PythonBridge
internal import Transport

/// Responses that the kernel sends from a file.
extension Response {
    /// Sends a plain file from its present position (`sendfile(2)`). The descriptor is duplicated: the application may close
    /// the file at once, and the reactor sends what the socket does not take.
    ///
    /// - Returns: false when this is no plain file of a known size, so that it has to be read.
    func sendFile(_ file: PyPointer, _ gil: inout GIL) throws(PythonError) -> Bool {
        guard let descriptor = try descriptor(of: file, gil), let size = descriptor.regularFileSize(), size > 0,
            let offset = try answer(of: "tell", file, gil), offset >= 0
        else { return false }
        let available = max(0, size - offset)
        try commit(total: available, gil)
        transmit(UnsafeRawBufferPointer(start: nil, count: 0), owner: nil, &gil)
        guard case .length(let wanted) = framing, wanted > 0, available > 0, let connection, !isBroken else {
            return true
        }
        let count = min(wanted, available)
        let file: Descriptor
        do throws(SystemError) {
            file = try descriptor.duplicate()
        } catch {
            throw gil.raise(.osError, "A file cannot be sent: \(error).")
        }
        framing = .length(wanted - count)
        handedCount &+= count
        queue(connection, &gil) { $0.append(file: file, offset: offset, count: count) }
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
