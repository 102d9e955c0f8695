extension ScoreboardCell {
    /// Exchanges that are over, since the worker has the cell. Any thread.
    public var requestCount: Int {
        let words = words.from(CellWord.counters + CounterWord.requests)
        let sum = (0..<CounterWord.methodCount * CounterWord.statusCount).reduce(0) { $0 &+ words.load($1) }
        return Int(clamping: sum)
    }
}
