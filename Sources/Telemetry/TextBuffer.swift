/// Bytes of text that are made again and again in the same memory: it grows while it is new, and not any more then.
public struct TextBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0
    /// Bytes that were written.
    @inlinable
    public var count: Int { used }

    public init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// What was written. Valid until the next change.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Keeps the memory.
    public mutating func removeAll() { used = 0 }

    /// Drops everything behind the first `count` bytes.
    public mutating func truncate(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        used = count
    }

    /// Drops the first `size` bytes.
    public mutating func removeFirst(_ size: Int) {
        precondition(size >= 0 && size <= count)
        used -= size
        base.copyMemory(from: base + size, byteCount: used)
    }

    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        if used == capacity { grow(1) }
        base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    @inlinable
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if capacity &- used < bytes.count { grow(bytes.count) }
        (base + used).copyMemory(from: source, byteCount: bytes.count)
        used &+= bytes.count
    }

    /// Appends the first `count` bytes of a word in memory's order, eight at most.
    @inlinable @inline(__always)
    mutating func append(word: UInt64, count: Int) {
        if capacity &- used < 8 { grow(8) }
        base.storeBytes(of: word.littleEndian, toByteOffset: used, as: UInt64.self)
        used &+= count
    }

    /// Has somebody write a number of bytes, and all of them.
    @inlinable @inline(__always)
    public mutating func append(room size: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        precondition(size >= 0)
        if capacity &- used < size { grow(size) }
        fill(base + used)
        used &+= size
    }

    @inlinable @inline(__always)
    public mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// In decimal digits, with zeros in front up to `digits`.
    public mutating func append(_ number: UInt64, digits: Int = 1) {
        if number < 10, digits == 1 { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number)) }
        var size = 1
        var bound: UInt64 = 10
        while number >= bound {
            size &+= 1
            // 19 digits: the next bound is none that a word can hold.
            if size == 20 { break }
            bound &*= 10
        }
        size = max(size, digits)
        if capacity &- used < size { grow(size) }
        var rest = number
        var place = used &+ size
        while place > used {
            place &-= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            base.storeBytes(
                of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit), toByteOffset: place, as: UInt8.self)
            rest = quotient
        }
        used &+= size
    }

    @inline(__always)
    public mutating func append(_ number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(UInt64(number.magnitude))
    }

    /// Nanoseconds as seconds, exactly: `0.5`, `12.000000001`, `3.0`.
    public mutating func append(secondsOf nanoseconds: UInt64) {
        append(nanoseconds / 1_000_000_000)
        append(UInt8(ascii: "."))
        append(nanoseconds % 1_000_000_000, digits: 9)
        dropZeros(atLeast: 1)
    }

    /// Microseconds as milliseconds, as Python writes a float: `0.5`, `12.001`, `3.0`.
    public mutating func append(millisecondsOf microseconds: UInt64) {
        append(microseconds / 1000)
        append(UInt8(ascii: "."))
        append(microseconds % 1000, digits: 3)
        dropZeros(atLeast: 1)
    }

    /// Takes zeros off the end of a fraction, and leaves some digits of it.
    private mutating func dropZeros(atLeast digits: Int) {
        while count > 1, bytes[count - 1] == UInt8(ascii: "0"), bytes[count - 1 - digits] != UInt8(ascii: ".") {
            used -= 1
        }
    }

    /// Puts `size` copies of a byte in front of what begins at `offset`.
    mutating func insert(_ byte: UInt8, _ size: Int, at offset: Int) {
        guard size > 0 else { return }
        if capacity - count < size { grow(size) }
        (base + offset + size).copyMemory(from: base + offset, byteCount: count - offset)
        (base + offset).initializeMemory(as: UInt8.self, repeating: byte, count: size)
        used += size
    }

    mutating func replace(_ byte: UInt8, at offset: Int) {
        precondition(offset >= 0 && offset < count)
        base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }

    @inline(never)
    @usableFromInline mutating func grow(_ size: Int) {
        let larger = max(capacity * 2, count + size)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
