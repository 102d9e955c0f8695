internal import Platform

/// Writes lines to a file, a pipe or a socket that others write to as well, and that may take no more at any time.
///
/// `O_NONBLOCK` is nothing to set here: it would change the descriptor for everybody who has it. A pipe or a terminal
/// is asked first, and gets no more than what it then takes without waiting; whole lines, as far as that goes, so that
/// those of several processes do not mix.
struct LogOutput {
    private let descriptor: Descriptor
    /// The error of the last write that failed; 0 where the log was full.
    private(set) var lastFailure: Int32 = 0

    /// Bytes that a pipe takes in one piece, and has room for when `poll(2)` says that it has any (`PIPE_BUF`).
    static let pieceSize = 4096

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// - Returns: how many bytes were written; fewer than there are when it takes no more for now.
    mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var done = 0
        // It may have become something else: files are opened anew under the same number.
        let kind = bytes.isEmpty ? .regular : descriptor.kind
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            do throws(SystemError) {
                switch kind {
                case .regular: done += try descriptor.write(rest)
                case .socket:
                    guard case .processed(let count) = try descriptor.sendNow(Self.piece(of: rest)) else {
                        lastFailure = 0
                        return done
                    }
                    done += count
                case .other:
                    guard descriptor.waitUntilWritable(milliseconds: 0),
                        case .processed(let count) = try descriptor.writeIfRoom(Self.piece(of: rest))
                    else {
                        lastFailure = 0
                        return done
                    }
                    done += count
                }
            } catch {
                lastFailure = error.errno.rawValue
                return done
            }
        }
        return done
    }

    /// Waits until a write is worth a try, for as many nanoseconds at most.
    func waitForRoom(_ limit: Nanoseconds) {
        let end = Clock.now() + limit
        if lastFailure == 0 {
            _ = descriptor.waitUntilWritable(milliseconds: Int32(limit / 1_000_000))
            // A reader that takes a little at a time must not keep a processor busy.
            Thread.sleep(.milliseconds(5))
        } else {
            Thread.sleep(end - min(end, Clock.now()))
        }
    }

    /// As many whole lines as a pipe takes in one piece; the beginning of one that is longer.
    static func piece(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard bytes.count > pieceSize else { return bytes }
        let piece = UnsafeRawBufferPointer(rebasing: bytes[..<pieceSize])
        guard let end = piece.lastIndex(of: 0x0A) else { return piece }
        return UnsafeRawBufferPointer(rebasing: piece[...end])
    }
}
