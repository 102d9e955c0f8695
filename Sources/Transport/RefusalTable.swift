internal import HTTPWire
internal import ProxyWire

/// The numbers of error identifiers on the scoreboard: their places here.
public enum RefusalTable {
    /// What the server itself may answer with, in a fixed order.
    public static var names: [String] {
        WireFault.allCases.map(\.rawValue) + ProxyFault.allCases.map(\.rawValue)
            + ["application-error", "outside-mount-point"]
    }

    /// An identifier's number; beyond the table for one that is not in it.
    static func number(of id: String) -> Int { names.firstIndex(of: id) ?? names.count }
}
