// How the processes are set up, and what happens to bodies and files.

extension SettingKey<Bool> {
    static let reload = SettingKey(
        Setting(
            "reload", .debugging, ["--reload"], .flag(stores: true), default: .bool(false), for: .arbiter,
            "Restart the workers when the application's code changes. For development."))
    static let reloadErrorPage = SettingKey(
        Setting(
            "reload_error_page", .debugging, ["--reload-error-page"], .flag(stores: true), default: .bool(false),
            for: .worker, origin: .own,
            """
            With reload, answer every request with the traceback while the code cannot be loaded, as gunicorn does for \
            syntax errors. Otherwise the last good code goes on serving. For development: everybody sees it.
            """))
    static let preloadApp = SettingKey(
        Setting(
            "preload_app", .serverMechanics, ["--preload"], .flag(stores: true), default: .bool(false), for: .arbiter,
            "Load the application in the master, before the workers are forked, so that they share its memory."))
    static let reusePort = SettingKey(
        Setting(
            "reuse_port", .serverMechanics, ["--reuse-port"], .flag(stores: true), default: .bool(false),
            for: .arbiter,
            "Give each worker a listening socket of its own (SO_REUSEPORT), among which the kernel divides the clients."
        ))
    static let daemon = SettingKey(
        Setting(
            "daemon", .serverMechanics, ["-D", "--daemon"], .flag(stores: true), default: .bool(false), for: .arbiter,
            "Run in the background, detached from the terminal."))
    static let initgroups = SettingKey(
        Setting(
            "initgroups", .serverMechanics, ["--initgroups"], .flag(stores: true), default: .bool(false),
            for: .arbiter, "Give the workers all groups of their user, beside --group."))
    static let sendfile = SettingKey(
        Setting(
            "sendfile", .serverMechanics, ["--no-sendfile"], .flag(stores: false), default: .bool(true), for: .worker,
            environment: .init("SENDFILE"),
            "Do not use sendfile(2) for files that the application returns through wsgi.file_wrapper."))
    // gunicorn does nothing else.
    static let streamRequestBody = SettingKey(
        Setting(
            "stream_request_body", .serverMechanics, ["--stream-request-body"], .flag(stores: true),
            default: .bool(false), for: .worker, origin: .own,
            """
            Call the application when a request's head is complete, and let it read the body while the client sends \
            it. A slow client then holds a worker for as long as its upload takes.
            """))
}

extension SettingKey<String> {
    static let reloadEngine = SettingKey(
        Setting(
            "reload_engine", .debugging, ["--reload-engine"], .choice(["auto", "poll", "inotify"]),
            default: .string("auto"), for: .arbiter, metavar: "STRING",
            "How --reload learns of changes: by looking at the files each second (poll), or from the kernel (inotify)."
        ))
}

extension SettingKey<[String]> {
    static let reloadExtraFiles = SettingKey(
        Setting(
            "reload_extra_files", .debugging, ["--reload-extra-file"], .files, default: .list([]), for: .arbiter,
            metavar: "FILES", "Another file, or a pattern of files, that --reload watches. May be given several times."
        ))
    static let environment = SettingKey(
        Setting(
            "raw_env", .serverMechanics, ["-e", "--env"], .list, default: .list([]), for: .arbiter, metavar: "ENV",
            "A variable for the environment of the application: NAME=VALUE. May be given several times."),
        read: { value throws(SettingFault) in
            let texts = try value.texts
            for text in texts where !text.utf8.dropFirst().contains(UInt8(ascii: "=")) {
                throw SettingFault(.string(text), "write NAME=VALUE")
            }
            return texts
        })
}

extension SettingKey<String?> {
    static let pidfile = SettingKey(
        Setting(
            "pidfile", .serverMechanics, ["-p", "--pid"], .string, for: .arbiter, metavar: "FILE",
            "The file to write the master's process id to."))
    // gunicorn knows the name, never reads it and has no flag for it.
    static let temporaryUploadDirectory = SettingKey(
        Setting(
            "tmp_upload_dir", .serverMechanics, ["--tmp-upload-dir"], .directory(isWritable: true), for: .worker,
            origin: .flag, metavar: "DIR",
            "The directory of the files that large request bodies are spooled to; TMPDIR or /tmp by default."))
}

extension SettingKey<Int?> {
    static let user = SettingKey(
        Setting(
            "user", .serverMechanics, ["-u", "--user"], .user, for: .arbiter, metavar: "USER",
            "The user, by name or number, that the workers run as."))
    static let group = SettingKey(
        Setting(
            "group", .serverMechanics, ["-g", "--group"], .group, for: .arbiter, metavar: "GROUP",
            "The group, by name or number, that the workers run as."))
}

extension SettingKey<Int> {
    static let umask = SettingKey(
        Setting(
            "umask", .serverMechanics, ["-m", "--umask"], .mode(0...0o777), default: .int(0), for: .arbiter,
            metavar: "INT",
            "The permission bits that Unix sockets are made without: 007 unless set. With 0, every user may connect."))
    static let requestBodyMemory = SettingKey(
        Setting(
            "request_body_memory", .serverMechanics, ["--request-body-memory"], .int(SettingRange.anyBytes),
            default: .int(65536), for: .worker, origin: .own, metavar: "INT",
            "How many bytes of a request body stay in memory; a larger body is spooled to a file."))
    static let responseBuffer = SettingKey(
        Setting(
            "response_buffer", .serverMechanics, ["--response-buffer"], .int(SettingRange.anyBytes),
            default: .int(1 << 20), for: .worker, origin: .own, metavar: "INT",
            """
            How many bytes of a response may wait in memory for a slow client. What is more goes to a file \
            (response_spool), and where that has no room, the application is held up. The last block of a response \
            never holds it up.
            """))
    static let responseSpool = SettingKey(
        Setting(
            "response_spool", .serverMechanics, ["--response-spool"], .int(SettingRange.anyBytes),
            default: .int(1 << 30), for: .worker, origin: .own, metavar: "INT",
            """
            How many bytes of a response may wait for a slow client in a file, so that the application is done and \
            its thread free; 0 makes no such files.
            """))
    static let responseWait = SettingKey(
        Setting(
            "response_wait", .serverMechanics, ["--response-wait"], .int(SettingRange.anySeconds), default: .int(60),
            for: .worker, origin: .own, metavar: "INT",
            """
            How many seconds, in all, an application may be held up by its client while another request has waited \
            for a second for a thread; past it, the client that has held one up for longest is cut off. 0 sets no \
            limit.
            """))
}

extension SettingKey<Int?> {
    static let bufferMemory = SettingKey(
        Setting(
            "buffer_memory", .serverMechanics, ["--buffer-memory"], .int(SettingRange.anyBytes),
            default: .int(256 << 20), for: .worker, origin: .own, metavar: "INT",
            """
            How many bytes of its clients a worker keeps in memory: heads and bodies that have come in part, and what \
            of responses waits. Past it, bodies and responses go to files, and the connections that make the least \
            progress are closed; 0 sets no limit.
            """),
        nothing: 0)
    static let spoolLimit = SettingKey(
        Setting(
            "spool_limit", .serverMechanics, ["--spool-limit"], .int(SettingRange.anyBytes), for: .worker,
            origin: .own, metavar: "INT",
            """
            How many bytes of bodies and responses all workers together keep in files. Past it, a request with a \
            large body is answered with 503. Without it, half of what tmp_upload_dir has free at the start; 0 sets no \
            limit.
            """))
}

extension SettingsTable {
    static let debugging = [
        SettingKey<Bool>.reload.entry,
        SettingKey<String>.reloadEngine.entry,
        SettingKey<[String]>.reloadExtraFiles.entry,
        SettingKey<Bool>.reloadErrorPage.entry,
        Entry(
            Setting(
                "spew", .debugging, ["--spew"], .flag(stores: true), default: .bool(false),
                for: .nobody("no trace of every line is written; python -m trace does that"),
                "Has no effect. In gunicorn, it prints every line of Python that the server executes.")),
        Entry(
            Setting(
                "check_config", .debugging, ["--check-config"], .flag(stores: true), default: .bool(false),
                for: .python, "Check the settings, load the application, and exit: with 0 if all is well, else with 1."
            )),
        Entry(
            Setting(
                "print_config", .debugging, ["--print-config"], .flag(stores: true), default: .bool(false),
                for: .python, "Print the value of every setting, and do as --check-config.")),
    ]

    static let mechanics = [
        SettingKey<Bool>.preloadApp.entry,
        immortalObjects,
        SettingKey<Bool>.sendfile.entry,
        SettingKey<Bool>.reusePort.entry,
        Entry(
            Setting(
                "chdir", .serverMechanics, ["--chdir"], .directory(isWritable: false), for: .python, metavar: "PATH",
                "The directory to change to before the application is loaded. It is the current one by default.")),
        SettingKey<Int>.requestBodyMemory.entry,
        SettingKey<Bool>.streamRequestBody.entry,
        Entry(
            Setting(
                "gunicorn_compat", .serverMechanics, ["--gunicorn-compat"], .flag(stores: true), default: .bool(false),
                for: .python, origin: .own,
                """
                Let `import gunicorn` find Monoceros' modules, for packages and configuration files that look for it. \
                Where gunicorn itself is installed, it is found.
                """)),
        SettingKey<Int>.responseBuffer.entry,
        SettingKey<Int>.responseSpool.entry,
        SettingKey<Int>.responseWait.entry,
        SettingKey<Int?>.bufferMemory.entry,
        SettingKey<Int?>.spoolLimit.entry,
        SettingKey<String?>.temporaryUploadDirectory.entry,
    ]

    static let process = [
        SettingKey<Bool>.daemon.entry,
        SettingKey<[String]>.environment.entry,
        SettingKey<String?>.pidfile.entry,
        Entry(
            Setting(
                "worker_tmp_dir", .serverMechanics, ["--worker-tmp-dir"], .string,
                for: .nobody("workers show that they are alive without a file"), metavar: "DIR",
                "Has no effect. In gunicorn, it is the directory of the workers' heartbeat files.")),
        SettingKey<Int?>.user.entry,
        SettingKey<Int?>.group.entry,
        SettingKey<Int>.umask.entry,
        SettingKey<Bool>.initgroups.entry,
        Entry(
            Setting(
                "pythonpath", .serverMechanics, ["--pythonpath"], .string, for: .python, metavar: "STRING",
                "Directories, separated by commas, that modules are imported from before all others.")),
        Entry(
            Setting(
                "paste", .serverMechanics, ["--paste", "--paster"], .string, for: .python, metavar: "STRING",
                "The PasteDeploy file whose application is served: FILE.ini, or FILE.ini#NAME. It needs PasteDeploy.")),
        Entry(
            Setting(
                "raw_paste_global_conf", .serverMechanics, ["--paste-global"], .list, default: .list([]),
                for: .python, metavar: "CONF",
                "A variable for the file of --paste: NAME=VALUE. May be given several times.")),
    ]
}
