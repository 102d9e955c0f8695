// swift-tools-version: 6.2
// Monoceros: one CPython extension module, `_native`, made of small modules whose imports point down only.
//
// The CPython headers are found by the caller:
// `-Xcc -I$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')`. `make` passes it; see the Makefile.
import PackageDescription

/// Settings of every Swift target. `InternalImportsByDefault` and `MemberImportVisibility` keep an import from leaking
/// upwards: a module sees just what it names itself.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Settings of the library's targets. Regular expressions and tasks are not used: without the modules that the compiler
/// imports for them, the library has a sixth less to load.
///
/// A request passes through seven modules: where the compiler does not look across their borders when it optimizes, it
/// costs a tenth more instructions.
let lean: [SwiftSetting] =
    strict + [
        .unsafeFlags([
            "-Xfrontend", "-disable-implicit-string-processing-module-import",
            "-Xfrontend", "-disable-implicit-concurrency-module-import",
        ]),
        .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    ]

/// Settings of the targets between socket and application. The run-time check that two accesses to a class's property
/// do not overlap costs a quarter of all instructions of a small request. The compiler's own checks stay, and the
/// tests, which are built for debugging, run with this one too.
let hot: [SwiftSetting] =
    lean + [
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]

/// Python's variables that `CPython` and `PythonBridge` use.
let pythonVariables = [
    "PyExc_AssertionError", "PyExc_AttributeError", "PyExc_BrokenPipeError", "PyExc_ConnectionResetError",
    "PyExc_MemoryError", "PyExc_OSError", "PyExc_RuntimeError", "PyExc_StopIteration", "PyExc_SystemExit",
    "PyExc_TimeoutError", "PyExc_TypeError", "PyExc_ValueError", "PyList_Type", "PyTuple_Type",
    "_Py_FalseStruct", "_Py_NoneStruct", "_Py_TrueStruct",
]

/// Settings of tests of modules that import Python, for their parts that need none: no interpreter is linked in. Calls
/// into one are left unresolved, and would fail; variables have to be somewhere before the tests are loaded.
let withoutPython: [LinkerSetting] = [
    .unsafeFlags(
        ["-Xlinker", "--unresolved-symbols=ignore-all"]
            + pythonVariables.flatMap { (name: String) -> [String] in ["-Xlinker", "--defsym=" + name + "=0"] })
]

/// Settings of the library: without them it exports all that is public in any module and in Swift's own, with names of
/// some hundred bytes, of which half a megabyte is in memory in every server.
let exportingOneFunction = [
    "-Xlinker", "--version-script=" + Context.packageDirectory + "/Sources/Monoceros/exports.map",
]

let package = Package(
    name: "monoceros",
    products: [
        .library(name: "_native", type: .dynamic, targets: ["Monoceros"])
    ],
    targets: [
        // C shims: what Swift cannot call or import, and nothing else.
        .target(name: "CSystem"),
        .target(name: "CPython"),

        // The machine.
        .target(name: "Platform", dependencies: ["CSystem"], swiftSettings: lean),

        // Pure: no descriptor, no clock, no Python.
        .target(name: "HTTPWire", swiftSettings: lean),
        .target(name: "HTTPServer", dependencies: ["HTTPWire"], swiftSettings: hot),
        .target(name: "ProxyWire", swiftSettings: lean),
        .target(name: "Settings", dependencies: ["HTTPWire", "ProxyWire"], swiftSettings: lean),
        // Optimized in tests too: the model has a few hundred thousand states.
        .target(name: "Supervision", swiftSettings: lean + [.unsafeFlags(["-O"])]),
        .target(name: "Telemetry", swiftSettings: hot),

        // A worker, from the socket up.
        .target(name: "Scheduling", dependencies: ["Platform"], swiftSettings: lean),
        .target(
            name: "Transport",
            dependencies: ["HTTPServer", "HTTPWire", "Platform", "ProxyWire", "Scheduling", "Telemetry"],
            swiftSettings: hot),
        // What the operator is told, without Python.
        .target(
            name: "Admin",
            dependencies: ["HTTPServer", "HTTPWire", "Platform", "ProxyWire", "Scheduling", "Telemetry", "Transport"],
            swiftSettings: lean),
        .target(name: "PythonBridge", dependencies: ["CPython"], swiftSettings: lean),
        .target(
            name: "WSGI",
            dependencies: ["HTTPServer", "HTTPWire", "Platform", "ProxyWire", "PythonBridge", "Transport"],
            swiftSettings: hot),
        .target(
            name: "Worker",
            dependencies: [
                "Admin", "HTTPServer", "HTTPWire", "Platform", "PythonBridge", "Scheduling", "Telemetry", "Transport",
                "WSGI",
            ],
            swiftSettings: hot),

        // The master.
        .target(
            name: "Arbiter", dependencies: ["Platform", "Settings", "Supervision", "Telemetry"], swiftSettings: lean),

        // The composition root: PyInit, arguments in, closures out. The Swift runtime is linked in statically, so that
        // a wheel needs no Swift where it is installed.
        .target(
            name: "Monoceros",
            dependencies: [
                "Admin", "Arbiter", "HTTPWire", "Platform", "ProxyWire", "PythonBridge", "Settings", "Supervision",
                "Telemetry",
                "Transport", "WSGI", "Worker",
            ],
            exclude: ["exports.map"],
            swiftSettings: lean,
            linkerSettings: [.unsafeFlags(["-static-stdlib"] + exportingOneFunction)]),

        // Tests of what needs no interpreter; the rest is tested on the installed package, in tests/.
        .testTarget(
            name: "ArbiterTests", dependencies: ["Arbiter", "Platform", "Supervision"], swiftSettings: strict),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"], swiftSettings: strict),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire", "ProxyWire"], swiftSettings: strict),
        .testTarget(
            name: "HTTPServerTests", dependencies: ["HTTPServer", "HTTPWire"], swiftSettings: strict),
        .testTarget(name: "ProxyWireTests", dependencies: ["ProxyWire"], swiftSettings: strict),
        .testTarget(
            name: "SettingsTests", dependencies: ["HTTPWire", "ProxyWire", "Settings"], swiftSettings: strict),
        .testTarget(
            name: "SupervisionTests", dependencies: ["Supervision"], swiftSettings: strict + [.unsafeFlags(["-O"])]),
        .testTarget(
            name: "AdminTests",
            dependencies: ["Admin", "HTTPServer", "HTTPWire", "Platform", "ProxyWire", "Telemetry", "Transport"],
            swiftSettings: strict),
        .testTarget(name: "TelemetryTests", dependencies: ["Platform", "Telemetry"], swiftSettings: strict),
        .testTarget(
            name: "SchedulingTests", dependencies: ["Platform", "Scheduling"],
            // The model has a few hundred thousand states.
            swiftSettings: strict + [.unsafeFlags(["-O"])]),
        .testTarget(
            name: "WSGITests", dependencies: ["WSGI"], swiftSettings: strict,
            linkerSettings: withoutPython),
        .testTarget(
            name: "TransportTests",
            dependencies: [
                "HTTPServer", "HTTPWire", "Platform", "ProxyWire", "Scheduling", "Telemetry", "Transport",
            ],
            swiftSettings: strict),
        // What of a worker needs no interpreter. The module as a whole does, and cannot be linked without one; so the
        // files under test are compiled into the tests, by symbolic links in Tests/WorkerTests/Worker.
        .testTarget(
            name: "WorkerTests", dependencies: ["HTTPServer", "HTTPWire", "Platform", "Telemetry"],
            swiftSettings: strict),
    ]
)
