import Testing

@testable import Supervision

@Suite struct WorkerMessageTests {
    @Test(arguments: [
        WorkerMessage(.ready, pid: 1), WorkerMessage(.ready, pid: .max),
        WorkerMessage(.wantsToLeave, pid: 4_194_304, payload: Array("served 100 requests".utf8)),
        WorkerMessage(.wantsToLeave, pid: 65536, payload: [47, 97, 0, 47, 98]),
        WorkerMessage(.order, pid: 7, payload: [1]),
    ])
    func goesThereAndBack(_ message: WorkerMessage) {
        #expect(WorkerMessage(message.bytes) == message)
    }

    @Test(arguments: [[], [1], [1, 2, 3, 4], [0, 1, 0, 0, 0], [8, 1, 0, 0, 0], [255, 1, 0, 0, 0]] as [[UInt8]])
    func takesNothingElse(_ bytes: [UInt8]) {
        #expect(WorkerMessage(bytes) == nil)
    }
}
