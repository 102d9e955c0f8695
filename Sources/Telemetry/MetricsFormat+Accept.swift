extension MetricsFormat {
    /// What a scraper asked for by its Accept field; the older format where it does not care. RFC 9110 §12.5.1.
    ///
    /// - Parameter accept: the field's value; nil where there is none.
    public init(accept: UnsafeRawBufferPointer?) {
        guard let accept else {
            self = .prometheus
            return
        }
        let entries = String(decoding: accept.prefix(2048), as: UTF8.self).lowercased().split(separator: ",")
        var open = 0.0
        var plain = 0.0
        for entry in entries {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let type = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch type {
            case "application/openmetrics-text": open = max(open, weight)
            case "text/plain", "text/*", "*/*": plain = max(plain, weight)
            default: break
            }
        }
        self = open > 0 && open >= plain ? .openMetrics : .prometheus
    }
}
