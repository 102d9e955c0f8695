internal import HTTPServer
internal import Telemetry
internal import WSGI

/// Notes for the access log what becomes of the exchanges of one thread.
///
/// A note is a short copy, so that it may be taken with Python's lock in hand; the line is made of it by the thread of
/// the log (`AccessLogLineMaker`).
final class AccessLogScribe: ExchangeObserver {
    private let needs: AccessLogNeeds
    private let page: AccessLogPage
    /// What the application's environ said, where the format asks for it.
    private let excerpt: EnvironExcerpt?
    private var scratch = TextBuffer(capacity: 1024)
    private var entries = TextBuffer(capacity: 64)

    init(_ log: AccessLog, page: AccessLogPage, excerpt: EnvironExcerpt?) {
        needs = log.needs
        self.page = page
        self.excerpt = excerpt
    }

    func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
    ) {
        if needs.environ { packEntries() }
        page.add { out in needs.write(record, head: head, response: response, excerpt: entries.bytes, to: &out) }
    }

    func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8]
    ) {
        if needs.environ { packEntries() }
        scratch.removeAll()
        needs.write(record, head: head, response: response, excerpt: entries.bytes, to: &scratch)
        note.append(contentsOf: scratch.bytes)
    }

    func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {
        var numbers = note.loadUnaligned(as: AccessLogNote.self)
        numbers.finish(record)
        page.add { out in
            out.append(room: note.count) { base in
                base.copyMemory(from: note.baseAddress!, byteCount: note.count)
                base.storeBytes(of: numbers, as: AccessLogNote.self)
            }
        }
    }

    /// Name and value of each entry.
    private func packEntries() {
        entries.removeAll()
        guard let excerpt else { return }
        for index in 0..<excerpt.count {
            guard let value = excerpt[index] else { continue }
            excerpt.names[index].withUnsafeBytes { AccessLogEntry.append($0, to: &entries) }
            AccessLogEntry.append(value, to: &entries)
        }
    }
}
