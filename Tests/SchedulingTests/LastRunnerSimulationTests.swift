import Platform
import Scheduling
import Testing

/// What the last runner's policy brings, on a clock of its own: requests that come, runners that are busy.
@Suite struct LastRunnerSimulationTests {
    /// A request that a client sends, and sends again as soon as it is answered where it is of a closed loop.
    private struct Request {
        var at: Nanoseconds
        var client: Int
        var isLong: Bool
    }

    /// One worker's runners. The application takes its time alone; nobody waits for Python's lock.
    private struct Worker {
        var policy: LastRunnerPolicy
        /// Until when the runners are busy that do not have the baton.
        var others: [(runner: Int, until: Nanoseconds)]
        /// Who has the baton.
        var driver = 0
        let usual: Nanoseconds
        let short: Nanoseconds
        var now = Nanoseconds.seconds(100)
        var shorts: [Request] = []
        var longs: [Request] = []
        /// Those that come, in order of their time.
        var coming: [Request] = []
        var latencies: (short: [Nanoseconds], long: [Nanoseconds]) = ([], [])
        /// Of the clients in a closed loop: what each sends next.
        var next: (Request) -> Request? = { _ in nil }

        mutating func send(_ request: Request) {
            coming.insert(request, at: coming.firstIndex { $0.at > request.at } ?? coming.endIndex)
        }

        private mutating func answer(_ request: Request, at moment: Nanoseconds) {
            if request.isLong {
                latencies.long.append(moment - request.at)
            } else {
                latencies.short.append(moment - request.at)
            }
            var answered = request
            answered.at = moment
            if let next = next(answered) { send(next) }
        }

        mutating func run(until end: Nanoseconds) {
            while now < end {
                while let request = coming.first, request.at <= now {
                    coming.removeFirst()
                    if request.isLong { longs.append(request) } else { shorts.append(request) }
                }
                if let request = shorts.first {
                    shorts.removeFirst()
                    now += short
                    answer(request, at: now)
                    policy.servedShort(at: now)
                } else if let request = longs.first {
                    serve(request)
                } else {
                    now = coming.first?.at ?? end
                }
            }
        }

        private mutating func serve(_ request: Request) {
            let end = now + usual
            if let free = others.firstIndex(where: { $0.until <= now }) {
                leave(to: free, until: end)
            } else if policy.yields(at: now, since: request.at, usual: usual, othersWait: false) {
                let first = others.indices.min { others[$0].until < others[$1].until }
                if let first, others[first].until < end {
                    now = others[first].until
                    leave(to: first, until: end)
                } else {
                    now = end
                    policy.tookOver(by: driver, at: now)
                }
            } else {
                now = ([now + .milliseconds(1)] + others.map(\.until) + coming.prefix(1).map(\.at))
                    .filter { $0 > now }.min()!
                return
            }
            longs.removeFirst()
            answer(request, at: end)
        }

        /// The driver is busy, and another one has the baton.
        private mutating func leave(to free: Int, until end: Nanoseconds) {
            let busy = driver
            driver = others[free].runner
            others[free] = (busy, end)
            policy.tookOver(by: driver, at: now)
        }
    }

    private static let usual = Nanoseconds.milliseconds(20)
    private static let start = Nanoseconds.seconds(100)

    /// Three of four runners are in requests that do not end, and 1,500 short requests come each second.
    private func latencies(clients: Int, seconds: Int) -> (short: [Nanoseconds], long: [Nanoseconds]) {
        var policy = LastRunnerPolicy(runners: 4)
        policy.tookOver(by: 0, at: Self.start)
        var worker = Worker(
            policy: policy, others: (1...3).map { ($0, .max) }, usual: Self.usual, short: .microseconds(100))
        worker.next = { $0.isLong ? $0 : nil }
        for number in 0..<(1500 * seconds) {
            worker.coming.append(
                Request(at: Self.start + .microseconds(number * 2000 / 3), client: 0, isLong: false))
        }
        for client in 1...clients {
            worker.send(Request(at: Self.start + .milliseconds(10), client: client, isLong: true))
        }
        worker.run(until: Self.start + .seconds(seconds))
        return worker.latencies
    }

    @Test func oneRequestWaitsForNoLongerThanTwiceItsTime() throws {
        let long = latencies(clients: 1, seconds: 4).long
        #expect(long.count > 50)
        #expect(try #require(long.max()) <= 3 * Self.usual + .milliseconds(5))
    }

    @Test func eightDoNotWaitForThatLongOneAfterTheOther() throws {
        let long = latencies(clients: 8, seconds: 4).long
        #expect(long.count > 50)
        // Their own time, and that of the short ones in between.
        #expect(try #require(long.max()) <= 2 * Self.usual + 8 * (Self.usual + .milliseconds(5)))
    }

    /// One request in fifty takes 50 ms: the others do not notice.
    @Test func shortRequestsKeepTheirRunnerWhereOthersComeFree() throws {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 0, at: Self.start)
        var worker = Worker(
            policy: policy, others: (1...7).map { ($0, Self.start) }, usual: .milliseconds(50),
            short: .microseconds(70))
        // A generator of numbers that need not be good.
        var seed: UInt64 = 1
        worker.next = { request in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Request(at: request.at + .microseconds(50), client: request.client, isLong: (seed >> 33) % 50 == 0)
        }
        for client in 0..<32 { worker.send(Request(at: Self.start, client: client, isLong: false)) }
        worker.run(until: Self.start + .seconds(10))
        let short = worker.latencies.short.sorted()
        #expect(short.count > 50_000 && worker.latencies.long.count > 1000)
        #expect(short[short.count * 99 / 100] < .milliseconds(3))
    }
}
