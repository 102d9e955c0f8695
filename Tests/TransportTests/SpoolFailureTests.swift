import HTTPWire
import Platform
import Testing

@testable import Transport

@Suite struct SpoolFailureTests {
    private func failure(_ errno: Errno) -> SpoolFailure {
        SpoolFailure(cause: SystemError(errno, call: "write"), directory: "/spool")
    }

    @Test(arguments: [Errno.noSpace, .quotaExceeded, .fileTooLarge])
    func noRoomIsA507(errno: Errno) {
        #expect(failure(errno).fault == .insufficientStorage)
        #expect(WireError(failure(errno).fault).status == 507)
    }

    @Test(arguments: [Errno.permissionDenied, .noSuchFile, .notPermitted, .tooManyOpenFiles, .inputOutput])
    func anythingElseIsA503(errno: Errno) {
        #expect(failure(errno).fault == .bodyNotStored)
        #expect(WireError(failure(errno).fault).status == 503)
    }

    @Test func saysWhereWhyAndWhatToDo() {
        #expect(
            failure(.noSpace).description
                == "A request body cannot be kept in /spool: write: No space left on device. Free some space there, or "
                + "name another directory with --tmp-upload-dir (or TMPDIR).")
        #expect(failure(.tooManyOpenFiles).description.hasSuffix("or lower --worker-connections."))
    }
}
