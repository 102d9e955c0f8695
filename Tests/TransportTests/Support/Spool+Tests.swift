import HTTPWire
import Platform

@testable import Transport

extension Spool {
    /// One for tests that need no reactor.
    static func forTests(in directory: String = "/tmp", limit: Int? = nil) -> Spool {
        Spool(directory: directory, allowance: try! SpoolAllowance(limit: limit), waker: try! Waker())
    }
}

extension BodyReceipt {
    func take(_ bytes: ArraySlice<UInt8>, memory: Int, spool: Spool) throws {
        let fault = bytes.withUnsafeBytes { (bytes) -> WireError? in
            do throws(WireError) { try take(bytes, memory: memory, spool: spool) } catch { return error }
            return nil
        }
        if let fault { throw fault }
    }
}
