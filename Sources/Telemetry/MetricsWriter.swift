/// Writes metric families and their samples.
struct MetricsWriter {
    enum Kind {
        case counter, gauge, histogram, info
    }

    let format: MetricsFormat
    private let isOpen: Bool
    /// The family's samples' name.
    private var name: StaticString = ""
    private var suffix: StaticString = ""

    init(format: MetricsFormat, isOpen: Bool) {
        self.format = format
        self.isOpen = isOpen
    }

    /// Begins a family.
    ///
    /// - Parameters:
    ///   - name: without the suffix that its kind has.
    ///   - unit: for OpenMetrics; the name ends in it.
    mutating func family(
        _ name: StaticString, _ kind: Kind, _ help: StaticString, unit: StaticString? = nil, to out: inout TextBuffer
    ) {
        self.name = name
        suffix =
            switch kind {
            case .counter: "_total"
            case .info: "_info"
            case .gauge, .histogram: ""
            }
        func line(_ word: StaticString, _ text: StaticString) {
            out.append("# ")
            out.append(word)
            out.append(UInt8(ascii: " "))
            out.append(name)
            // The older format knows families by the name of their samples.
            if !isOpen { out.append(suffix) }
            out.append(UInt8(ascii: " "))
            out.append(text)
            out.append(UInt8(ascii: "\n"))
        }
        line("HELP", help)
        switch kind {
        case .counter: line("TYPE", "counter")
        case .gauge: line("TYPE", "gauge")
        case .histogram: line("TYPE", "histogram")
        case .info: line("TYPE", isOpen ? "info" : "gauge")
        }
        if isOpen, let unit { line("UNIT", unit) }
    }

    /// A sample of the family.
    func sample(
        to out: inout TextBuffer, _ labels: (name: StaticString, value: String)..., value: (inout TextBuffer) -> Void
    ) {
        sample(suffix, to: &out, labels, value)
    }

    private func sample(
        _ suffix: StaticString, to out: inout TextBuffer, _ labels: [(name: StaticString, value: String)],
        _ value: (inout TextBuffer) -> Void
    ) {
        out.append(name)
        out.append(suffix)
        for (index, label) in labels.enumerated() {
            out.append(index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            out.append(label.name)
            out.append("=\"")
            for byte in label.value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): out.append("\\\\")
                case UInt8(ascii: "\""): out.append("\\\"")
                case 0x0A: out.append("\\n")
                default: out.append(byte)
                }
            }
            out.append(UInt8(ascii: "\""))
        }
        if !labels.isEmpty { out.append(UInt8(ascii: "}")) }
        out.append(UInt8(ascii: " "))
        value(&out)
        out.append(UInt8(ascii: "\n"))
    }

    /// A family of durations.
    mutating func histogram(
        _ name: StaticString, _ help: StaticString, _ histogram: HistogramSnapshot, to out: inout TextBuffer
    ) {
        family(name, .histogram, help, unit: "seconds", to: &out)
        var sum: UInt64 = 0
        for index in histogram.buckets.indices {
            sum &+= histogram.buckets[index]
            sample("_bucket", to: &out, [("le", DurationBuckets.bound(index).description)]) { $0.append(sum) }
        }
        sample("_sum", to: &out, []) { $0.append(secondsOf: histogram.sum) }
        sample("_count", to: &out, []) { $0.append(sum) }
    }
}
