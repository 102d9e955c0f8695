import Telemetry
import Testing

@testable import Transport

struct HealthEndpointTests {
    private func question(_ path: String, of endpoint: String = "/-/health") -> HealthEndpoint.Question? {
        let endpoint = HealthEndpoint(path: endpoint) { .ready }
        return Array(path.utf8).withUnsafeBytes { endpoint.question($0) }
    }

    @Test func thePathItselfAsksForHealth() {
        #expect(question("/-/health") == .health)
        #expect(question("/-/health/ready") == .readiness)
    }

    @Test(arguments: [
        "", "/", "/-/healt", "/-/healthy", "/-/health/", "/-/health/read", "/-/health/ready/", "/x/-/health",
    ])
    func everythingElseIsTheApplications(path: String) {
        #expect(question(path) == nil)
    }

    /// Identifiers that share a number could not be told apart in the metrics.
    @Test func eachIdentifierHasItsNumber() {
        let names = RefusalTable.names
        #expect(Set(names).count == names.count)
        #expect(names.count < ScoreboardLayout.refusalLimit)
        #expect(RefusalTable.number(of: names[3]) == 3)
        #expect(RefusalTable.number(of: "no such thing") == names.count)
    }
}
