import Testing

@testable import Transport

@Suite struct ByteStoreTests {
    private func store(_ text: String, spare: Int = 0) -> ByteStore {
        Array(text.utf8).withUnsafeBytes { ByteStore($0, spare: spare) }
    }

    private func append(_ text: String, to store: ByteStore) {
        Array(text.utf8).withUnsafeBytes { store.append($0) }
    }

    private func text(_ store: ByteStore) -> String { String(decoding: store.bytes, as: UTF8.self) }

    @Test func holdsACopy() {
        let store = store("hello")
        #expect(text(store) == "hello")
        #expect(store.count == 5)
        append(" there", to: store)
        #expect(text(store) == "hello there")
    }

    @Test func nothingMayBeAppended() {
        let store = ByteStore(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(store.count == 0)
        append("", to: store)
        #expect(store.bytes.isEmpty)
    }

    @Test func growsWithWhatItHolds() {
        let store = store("", spare: 10)
        var expected: [UInt8] = []
        for size in [1, 63, 64, 65, 1000, 100_000, 3] {
            let more = pattern(size)
            more.withUnsafeBytes { store.append($0) }
            expected += more
            #expect(Array(store.bytes) == expected)
        }
    }

    @Test func dropsItsFrontAndItsBack() {
        let store = store("0123456789")
        store.removeFirst(3)
        #expect(text(store) == "3456789")
        store.removeFirst(0)
        #expect(text(store) == "3456789")
        store.truncate(4)
        #expect(text(store) == "3456")
        append("x", to: store)
        #expect(text(store) == "3456x")
        store.removeFirst(5)
        #expect(store.count == 0)
        append("again", to: store)
        #expect(text(store) == "again")
    }
}
