// Names of processes, and functions of the user's that are called on the way.

extension SettingsTable {
    static let naming = [
        Entry(
            Setting(
                "proc_name", .processNaming, ["-n", "--name"], .string, for: .python, metavar: "STRING",
                "The name of the processes in ps and top; that of the application by default.")),
        Entry(
            Setting(
                "default_proc_name", .processNaming, [], .string, default: .string("gunicorn"), for: .python,
                "What proc_name is when it is not set: the application, once it is known.")),
    ]

    static let hooks = [
        hook("on_starting", 1...1, "Called with the server before the master sets itself up."),
        hook("on_reload", 1...1, "Called with the server when HUP reloads it, before new workers are forked."),
        hook("when_ready", 1...1, "Called with the server when it listens, before the first fork."),
        hook("pre_fork", 2...2, "Called with the server and the worker before each fork."),
        hook("post_fork", 2...2, "Called with the server and the worker after each fork, in the worker."),
        hook("post_worker_init", 1...1, "Called with the worker when it has loaded the application."),
        hook(
            "after_mold", 2...2, origin: .own,
            """
            Called with the server and the worker in a worker that becomes what others are forked from \
            (refork_after): close what they must not share.
            """),
        hook("worker_int", 1...1, "Called with the worker when it gets INT or QUIT."),
        hook("worker_abort", 1...1, "Called with the worker when it gets ABRT, which mostly means a timeout."),
        hook("pre_exec", 1...1, "Called with the server in the new master process, before it starts (USR2)."),
        hook("pre_request", 2...2, "Called with the worker and the request before the application is."),
        hook(
            "post_request", 2...4,
            "Called with the worker and the request, and the environ and the response if it takes them, after it."),
        hook("child_exit", 2...2, "Called with the server and the worker in the master, after a worker has ended."),
        hook("worker_exit", 2...2, "Called with the server and the worker in a worker that ends."),
        hook(
            "nworkers_changed", 3...3,
            "Called with the server, the new and the old number of workers, which is None at the start."),
        hook("on_exit", 1...1, "Called with the server before the master ends."),
        hook(
            "ssl_context", 2...2, for: .nobody("there is no TLS yet"),
            "Has no effect: there is no TLS yet. In gunicorn, it makes the SSLContext."),
    ]

    static let dirtyHooks = [
        dirtyHook("on_dirty_starting", 1), dirtyHook("dirty_post_fork", 2), dirtyHook("dirty_worker_init", 1),
        dirtyHook("dirty_worker_exit", 2),
    ]

    private static func hook(
        _ name: String, _ parameters: ClosedRange<Int>, for consumer: Setting.Consumer = .python,
        origin: Setting.Origin = .gunicorn, _ text: String
    ) -> Entry {
        Entry(
            Setting(name, .serverHooks, [], .callable(parameters: parameters), for: consumer, origin: origin, text))
    }

    private static func dirtyHook(_ name: String, _ parameters: Int) -> Entry {
        Entry(
            Setting(
                name, .dirtyArbiterHooks, [], .callable(parameters: parameters...parameters),
                for: .nobody("there are no dirty arbiters"), "Has no effect: there are no dirty arbiters."))
    }
}
