import Glibc
import Testing

@testable import Platform

@Suite struct PidFileTests {
    private func path(_ name: String) -> String { "/tmp/monoceros-\(Process.id)-\(name).pid" }

    @Test func comesAndGoes() throws {
        let path = path("life")
        let file = try PidFile(creating: path)
        // Its own process may take it again.
        _ = try PidFile(creating: path)
        file.remove()
        let again = try PidFile(creating: path)
        again.remove()
        file.remove()
    }

    @Test func refusesOneOfALivingProcess() throws {
        let path = path("living")
        let parent = Process.parentID
        let file = try PidFile(creating: path)
        try overwrite(path, "\(parent)\n")
        #expect(throws: PidFile.Failure.running(parent, path: path)) { try PidFile(creating: path) }
        // And leaves it, since it names another by now.
        file.remove()
        #expect(throws: PidFile.Failure.running(parent, path: path)) { try PidFile(creating: path) }
        try overwrite(path, "no number\n")
        try PidFile(creating: path).remove()
    }

    @Test func takesTheFileOfAProcessThatHasEndedAndWasNotReaped() throws {
        let path = path("zombie")
        guard case .parent(let child) = try Process.fork() else { Process.exitImmediately(0) }
        defer { waitpid(child, nil, 0) }
        // Until it has ended, without reaping it.
        var info = siginfo_t()
        #expect(waitid(P_PID, id_t(child), &info, WEXITED | WNOWAIT) == 0)
        try overwrite(path, "\(child)\n")
        try PidFile(creating: path).remove()
    }

    @Test func saysWhatIsWrongWithAPath() {
        do {
            _ = try PidFile(creating: "/no/such/directory/x.pid")
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("/no/such/directory/x.pid"))
        }
    }

    private func overwrite(_ path: String, _ text: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        fputs(text, file)
    }
}
