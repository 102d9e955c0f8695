import HTTPServer
import Testing

@Suite struct HTTP1SessionTests {
    @Test func counts() {
        var session = HTTP1Session(keepsAlive: true)
        #expect(session.requestCount == 0)
        for number in 1...3 {
            session.begin(isPersistent: true, expectsContinue: false, hasBegunBody: false)
            #expect(session.requestCount == number)
        }
    }

    @Test(arguments: [false, true], [false, true])
    func clientAndConfigurationDecide(_ keepsAlive: Bool, _ isPersistent: Bool) {
        var session = HTTP1Session(keepsAlive: keepsAlive)
        session.begin(isPersistent: isPersistent, expectsContinue: false, hasBegunBody: false)
        #expect(session.clientSaidClose == !isPersistent)
        #expect(session.mayPersist == (keepsAlive && isPersistent))
    }

    @Test func everyoneHasAVeto() {
        for bits in 0..<16 {
            func bit(_ index: Int) -> Bool { bits >> index & 1 == 1 }
            var session = HTTP1Session(keepsAlive: bit(0))
            session.begin(isPersistent: bit(1), expectsContinue: false, hasBegunBody: false)
            let persists = session.persists(responseLeavesOpen: bit(2), bodyIsSound: bit(3))
            #expect(persists == (bit(0) && bit(1) && bit(2) && bit(3)))
        }
    }

    @Test func theLastRequestSaysWhetherOthersFollow() {
        var session = HTTP1Session(keepsAlive: true)
        session.begin(isPersistent: false, expectsContinue: false, hasBegunBody: false)
        session.begin(isPersistent: true, expectsContinue: false, hasBegunBody: false)
        #expect(!session.clientSaidClose && session.mayPersist)
    }

    @Test func continueIsSentOnce() {
        var session = HTTP1Session(keepsAlive: true)
        session.begin(isPersistent: true, expectsContinue: true, hasBegunBody: false)
        #expect(session.owesContinue)
        #expect(session.takeContinue() == true)
        #expect(session.takeContinue() == false)
        // It was sent: nobody was left waiting.
        #expect(session.cancelContinue() == false)
    }

    @Test func whoSendsTheBodyDoesNotWait() {
        var session = HTTP1Session(keepsAlive: true)
        session.begin(isPersistent: true, expectsContinue: true, hasBegunBody: true)
        #expect(!session.owesContinue)
        session.begin(isPersistent: true, expectsContinue: true, hasBegunBody: false)
        session.bodyCame()
        #expect(session.takeContinue() == false)
    }

    @Test func aResponseLeavesTheClientWaiting() {
        var session = HTTP1Session(keepsAlive: true)
        session.begin(isPersistent: true, expectsContinue: true, hasBegunBody: false)
        #expect(session.cancelContinue() == true)
        #expect(session.cancelContinue() == false)
        #expect(session.takeContinue() == false)
        session.begin(isPersistent: true, expectsContinue: false, hasBegunBody: false)
        #expect(session.cancelContinue() == false)
    }
}
