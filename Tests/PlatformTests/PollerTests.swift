import Platform
import Testing

@Suite struct PollerTests {
    @Test func reportsAWakerOnceItIsWoken() throws {
        let poller = try Poller(capacity: 4)
        let waker = try Waker()
        defer { waker.descriptor.close() }
        try poller.add(waker.descriptor, .readable, payload: 7)
        #expect(try poller.wait(milliseconds: 0) == 0)

        waker.wake()
        #expect(try poller.wait(milliseconds: 0) == 1)
        #expect(poller.event(0).payload == 7)
        #expect(poller.event(0).events.contains(.readable))

        waker.drain()
        #expect(try poller.wait(milliseconds: 0) == 0)
    }

    @Test func itsOwnDescriptorIsReadableWhenEventsWait() throws {
        let inner = try Poller(capacity: 4)
        let outer = try Poller(capacity: 4)
        let waker = try Waker()
        defer { waker.descriptor.close() }
        try inner.add(waker.descriptor, [.readable, .edgeTriggered], payload: 1)
        try outer.add(inner.descriptor, .readable, payload: 2)
        #expect(try outer.wait(milliseconds: 0) == 0)
        waker.wake()
        #expect(try outer.wait(milliseconds: 0) == 1)
    }

    @Test func anArmedTimerBecomesReadable() throws {
        let poller = try Poller(capacity: 4)
        let timer = try TimerDescriptor()
        defer { timer.descriptor.close() }
        try poller.add(timer.descriptor, .readable, payload: 3)
        #expect(try poller.wait(milliseconds: 0) == 0)
        timer.arm(Clock.now())
        #expect(try poller.wait(milliseconds: 10_000) == 1)
        #expect(poller.event(0).payload == 3)
        timer.drain()
        #expect(try poller.wait(milliseconds: 0) == 0)
    }

    @Test func aClosedDescriptorIsATypedError() throws {
        let poller = try Poller(capacity: 4)
        #expect(throws: SystemError(Errno(rawValue: 9), call: "epoll_ctl")) {
            try poller.add(Descriptor(rawValue: -1), .readable, payload: 0)
        }
    }
}
