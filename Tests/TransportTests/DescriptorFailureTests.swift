import Platform
import Testing

@testable import Transport

@Suite struct DescriptorFailureTests {
    @Test(arguments: [
        (Errno.tooManyOpenFiles, "ulimit -n", true), (.tooManyOpenFilesInSystem, "system", true),
        (.noMemory, "memory", true), (.badDescriptor, "os.closerange", false), (.notSocket, "os.closerange", false),
        (.invalidArgument, "os.closerange", false), (.notPermitted, "seccomp", false),
    ])
    func saysWhatCanBeDone(errno: Errno, word: String, isShortage: Bool) {
        let failure = DescriptorFailure(errno)
        #expect(failure.advice.contains(word))
        #expect(failure.isShortage == isShortage)
        // A limit is to blame where it is, and nowhere else.
        #expect(failure.advice.contains("ulimit") == (errno == .tooManyOpenFiles))
    }

    @Test func hasNoAdviceForWhatItDoesNotKnow() {
        #expect(DescriptorFailure(.inputOutput).advice.isEmpty)
    }
}
