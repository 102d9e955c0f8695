import Testing

@testable import Platform

@Suite struct ProcessTests {
    @Test(arguments: [0, 1, 3, 4, 255] as [Int32])
    func readsAnExitStatus(_ code: Int32) {
        #expect(ExitStatus(waitStatus: code << 8) == .exited(code: code))
    }

    @Test func readsADeathBySignal() {
        #expect(ExitStatus(waitStatus: 9) == .signaled(.kill, coreDumped: false))
        #expect(ExitStatus(waitStatus: 11 | 0x80) == .signaled(Signal(rawValue: 11), coreDumped: true))
    }

    @Test func namesSignals() {
        #expect("\(Signal.terminate)" == "SIGTERM")
        #expect(Signal.child.shortName == "CHLD")
        #expect("\(Signal(rawValue: 40))" == "signal 40")
        #expect(Signal(rawValue: 40).shortName == nil)
    }

    @Test func reapingAStrangerFails() {
        let error = #expect(throws: SystemError.self) { try Process.reap(Process.parentID) }
        #expect(error?.errno == .noChild)
    }

    @Test func signalingNobodyFails() {
        // Above the largest process id that the kernel hands out.
        let error = #expect(throws: SystemError.self) { try Process.send(.terminate, to: 0x7fff_fff0) }
        #expect(error?.errno == .noSuchProcess)
    }

    @Test func aSignalPipeDeliversSignalsInOrder() throws {
        let pipe = try SignalPipe([.user1, .windowChanged])
        #expect(pipe.drain() == [])
        for signal in [.user1, .windowChanged, .user1] as [Signal] {
            let before = Clock.now()
            try Process.send(signal, to: Process.id)
            pipe.wait(nanoseconds: .seconds(30))
            #expect(Clock.now() - before < .seconds(30))
            var arrived: [Signal] = []
            // A signal to the process is taken by any of its threads, a moment later; another may cut the wait short.
            while arrived.isEmpty, Clock.now() - before < .seconds(30) {
                arrived = pipe.drain()
                if arrived.isEmpty { pipe.wait(nanoseconds: .milliseconds(10)) }
            }
            #expect(arrived == [signal])
        }
        let before = Clock.now()
        pipe.wait(nanoseconds: 1)
        #expect(Clock.now() - before >= 1)
        #expect(pipe.drain() == [])
        pipe.abandonInChild()
    }
}
