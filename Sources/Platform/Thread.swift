internal import CSystem
internal import Glibc

/// A native thread. It blocks every signal: signals belong to the main thread.
public enum Thread {
    /// Runs `body` on a new detached thread.
    ///
    /// - Parameter name: at most 15 bytes are shown by `top -H` (`pthread_setname_np(3)`).
    /// - Throws: `SystemError` when the system gives no thread.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let box = Unmanaged.passRetained(Body(body)).toOpaque()
        let error = csystem_thread_start(
            name,
            { context in Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run() },
            box)
        if error != 0 {
            Unmanaged<Body>.fromOpaque(box).release()
            throw SystemError(Errno(rawValue: error), call: "pthread_create")
        }
    }

    /// The kernel's numbers of the threads that `start` has made and that have not ended. One that begins at this
    /// moment may not be among them yet.
    public static var started: [Int32] {
        [Int32](unsafeUninitializedCapacity: Int(CSYSTEM_THREAD_LIMIT)) { buffer, count in
            count = Int(csystem_threads(buffer.baseAddress))
        }
    }

    /// The kernel's number of the calling thread (`gettid(2)`).
    public static var currentID: Int32 { csystem_thread_id() }

    /// Whether a thread of this process with that number has not ended (`tgkill(2)`).
    public static func exists(_ id: Int32) -> Bool { csystem_thread_exists(id) != 0 }

    /// Has the calling thread sleep (`nanosleep(2)`).
    public static func sleep(_ duration: Nanoseconds) {
        var time = timespec(tv_sec: Int(duration / 1_000_000_000), tv_nsec: Int(duration % 1_000_000_000))
        nanosleep(&time, nil)
    }

    /// Lets others have the CPU that wait for it (`sched_yield(2)`).
    public static func yield() { sched_yield() }

    /// Nanoseconds that a thread of this process has had the CPU for; nil when that cannot be told.
    public static func cpuTime(of id: Int32) -> Nanoseconds? {
        let time = csystem_thread_cpu_time(id)
        return time == 0 ? nil : time
    }

    /// Whether a thread of this process has the CPU or waits for it, as opposed to sleeping (`proc_pid_stat(5)`). False
    /// also when that cannot be told.
    public static func isRunnable(_ id: Int32) -> Bool { csystem_thread_state(id) == CChar(UInt8(ascii: "R")) }

    /// Names the calling thread, as `start` does.
    public static func setName(_ name: String) { csystem_thread_name(name) }

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
