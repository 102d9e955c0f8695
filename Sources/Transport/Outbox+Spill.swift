/// Moving what waits in memory to a file, in three steps: what is to be moved is taken out under the lock of the
/// output, written without it, and put back as part of the file. Meanwhile what stands in front of it may be sent.
extension Outbox {
    /// What was taken out.
    struct Spill {
        let segments: [Segment]
        let count: Int
    }

    /// Takes out what waits in memory behind the first `keeping` bytes, and behind what is in a file already. Nil where
    /// that is nothing, or where it was done before and is not over.
    mutating func beginSpill(keeping: Int) -> Spill? {
        var start = segments.count
        // From the end to the first that is not in memory.
        while start > 0 {
            switch segments[start - 1] {
            case .copy, .bytes: start -= 1
            case .spilling: return nil
            case .file: return takeOut(from: start)
            }
        }
        var kept = 0
        while start < segments.count, kept < keeping {
            kept += Self.byteCount(segments[start])
            start += 1
        }
        return takeOut(from: start)
    }

    private mutating func takeOut(from start: Int) -> Spill? {
        guard start < segments.count else { return nil }
        let spill = Spill(
            segments: Array(segments[start...]), count: segments[start...].reduce(0) { $0 + Self.byteCount($1) })
        segments.removeSubrange(start...)
        segments.append(.spilling(spill.count))
        return spill
    }

    /// It is in the file from `offset` on. Owners go to `releases`.
    mutating func endSpill(
        _ spill: Spill, in file: SpoolFile, at offset: Int, spool: Spool,
        releasing releases: inout [UnsafeMutableRawPointer]
    ) {
        for segment in spill.segments {
            if case .bytes(_, let owner) = segment { releases.append(owner) }
        }
        guard let place = spillingPlace else { return }
        leaveMemory(spill.count)
        spilled = file
        if place > 0, case .file(let part) = segments[place - 1],
            part.extend(by: spill.count, in: file, at: offset)
        {
            segments.remove(at: place)
        } else {
            segments[place] = .file(FilePart(.spool(file), offset: offset, count: spill.count, spool: spool))
        }
    }

    /// It could not be written, and waits in memory as before. Owners of what was given up meanwhile go to `releases`.
    mutating func cancelSpill(_ spill: Spill, releasing releases: inout [UnsafeMutableRawPointer]) {
        guard let place = spillingPlace else {
            for segment in spill.segments {
                if case .bytes(_, let owner) = segment { releases.append(owner) }
            }
            return
        }
        segments.replaceSubrange(place...place, with: spill.segments)
    }

    /// Nil where everything was given up meanwhile.
    private var spillingPlace: Int? {
        segments.firstIndex { if case .spilling = $0 { true } else { false } }
    }

    private static func byteCount(_ segment: Segment) -> Int {
        switch segment {
        case .copy(let store, let sent): store.count - sent
        case .bytes(let bytes, _): bytes.count
        case .file(let part): part.count
        case .spilling(let count): count
        }
    }
}
