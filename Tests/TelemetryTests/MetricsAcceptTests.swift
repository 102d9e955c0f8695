import Telemetry
import Testing

struct MetricsAcceptTests {
    private func format(_ accept: String) -> MetricsFormat {
        Array(accept.utf8).withUnsafeBytes { MetricsFormat(accept: $0) }
    }

    @Test func theOlderFormatIsTheDefault() {
        #expect(MetricsFormat(accept: nil) == .prometheus)
        #expect(format("") == .prometheus)
        #expect(format("*/*") == .prometheus)
        #expect(format("text/html, application/json") == .prometheus)
    }

    /// What Prometheus 2 and 3 send.
    @Test func scrapersThatKnowOpenMetricsGetIt() {
        #expect(
            format("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
                == .openMetrics)
        #expect(format("Application/OpenMetrics-Text") == .openMetrics)
    }

    @Test func whoLikesItLessDoesNot() {
        #expect(format("application/openmetrics-text;q=0.3, text/plain;q=0.5") == .prometheus)
        #expect(format("application/openmetrics-text;q=0") == .prometheus)
        #expect(format("application/openmetrics-text;q=nonsense") == .prometheus)
    }
}
