import Testing

@testable import Supervision

@Suite struct ReloadPolicyTests {
    private let start: UInt64 = 300 * second
    private let policy = ReloadPolicy(quiet: 100 * millisecond, longest: 2 * second)

    @Test func withoutAChangeThereIsNothingToDo() {
        var policy = policy
        #expect(policy.deadline == nil)
        #expect(policy.takeReload(at: .max) == false)
    }

    @Test func aChangeIsAnsweredOnceItIsQuiet() {
        var policy = policy
        policy.recordChange(at: start)
        #expect(policy.deadline == start + 100 * millisecond)
        #expect(policy.takeReload(at: start + 100 * millisecond - 1) == false)
        #expect(policy.takeReload(at: start + 100 * millisecond) == true)
        #expect(policy.deadline == nil)
        #expect(policy.takeReload(at: start + 3 * second) == false)
    }

    @Test func changesInARowAreOneReload() {
        var policy = policy
        var reloads: [UInt64] = []
        for tick in 0..<20 {
            let now = start + UInt64(tick) * 50 * millisecond
            policy.recordChange(at: now)
            if policy.takeReload(at: now) { reloads.append(now) }
        }
        #expect(reloads.isEmpty)
        #expect(policy.deadline == start + 1050 * millisecond)
        #expect(policy.takeReload(at: start + 1050 * millisecond) == true)
    }

    @Test func changesWithoutEndAreAnsweredAllTheSame() {
        var policy = policy
        var reloads: [UInt64] = []
        for tick in 0...120 {
            let now = start + UInt64(tick) * 50 * millisecond
            policy.recordChange(at: now)
            if policy.takeReload(at: now) { reloads.append((now - start) / millisecond) }
        }
        #expect(reloads == [2000, 4050])
    }

    @Test func aBoundBelowTheQuietTimeIsRaisedToIt() {
        var policy = ReloadPolicy(quiet: second, longest: 1)
        policy.recordChange(at: start)
        #expect(policy.deadline == start + second)
    }

    @Test func hugeTimesDoNotOverflow() {
        var policy = ReloadPolicy(quiet: .max, longest: .max)
        policy.recordChange(at: start)
        #expect(policy.deadline == .max)
    }
}

@Suite struct ReportedFilesTests {
    @Test func readsPathsHoweverTheyAreCut() {
        let bytes = Array("/app/a.py\0/app/b é.py\0/app/a.py\0".utf8)
        for cut in 0...bytes.count {
            var reports = ReportedFiles()
            let first = reports.receive(bytes[..<cut])
            let second = reports.receive(bytes[cut...])
            #expect(first || second)
            #expect(reports.files == ["/app/a.py", "/app/b é.py"])
            #expect(reports.skipped == 0)
        }
    }

    @Test func tellsNewFilesFromKnownOnes() {
        var reports = ReportedFiles()
        #expect(reports.receive(Array("/a\0".utf8)) == true)
        #expect(reports.receive(Array("/a\0".utf8)) == false)
        #expect(reports.receive(Array("/b".utf8)) == false)
        #expect(reports.receive([0]) == true)
        reports.removeAll()
        #expect(reports.receive(Array("/a\0".utf8)) == true)
    }

    @Test func skipsWhatIsNoPath() {
        var reports = ReportedFiles()
        #expect(reports.receive(Array("relative\0\0".utf8)) == false)
        #expect(reports.receive([0x2f, 0xff, 0x00]) == false)
        #expect(reports.skipped == 3)
        #expect(reports.files.isEmpty)
    }

    @Test func boundsALongPathAndGoesOnBehindIt() {
        let longest = "/" + String(repeating: "x", count: 4094)
        var reports = ReportedFiles()
        #expect(reports.receive(Array((longest + "\0").utf8)) == true)
        for _ in 0..<1000 { #expect(reports.receive(Array(longest.utf8)) == false) }
        #expect(reports.receive([0]) == false)
        #expect(reports.skipped == 1)
        #expect(reports.receive(Array("/after\0".utf8)) == true)
        #expect(reports.files == [longest, "/after"])
    }

    @Test func boundsTheirNumber() {
        var reports = ReportedFiles(limit: 2)
        #expect(reports.receive(Array("/a\0/b\0/c\0".utf8)) == true)
        #expect(reports.receive(Array("/d\0/a\0".utf8)) == false)
        #expect(reports.files == ["/a", "/b"])
        #expect(reports.skipped == 2)
    }
}
