import HTTPWire
import Platform
import Transport

// Configurations for tests that are not about them.

extension TransportConfiguration {
    init() {
        self.init(
            policy: RequestPolicy(), proxyMode: nil, body: BodyLimits(), timeouts: Timeouts(), maximumConnections: 1000,
            acceptBatch: 64, sharesListeners: true, streamsBodies: false, bufferMemory: nil,
            spoolAllowance: try! SpoolAllowance(limit: nil),
            responseWait: .seconds(60))
    }
}

extension BodyLimits {
    init() {
        self.init(memory: 65_536, spoolDirectory: "/tmp")
    }
}

extension Timeouts {
    init() {
        self.init(head: .seconds(10), idle: .seconds(75), body: .seconds(30), write: .seconds(30))
    }
}
