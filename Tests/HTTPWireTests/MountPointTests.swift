import Testing

@testable import HTTPWire

@Suite struct MountPointTests {
    @Test(
        arguments: [
            ("", "/", 0), ("", "", 0), ("", "*", 0), ("/app", "/app", 4), ("/app", "/app/", 4), ("/app", "/app/x", 4),
            ("/a/b", "/a/b/c", 4), ("/app", "/apple", nil), ("/app", "/ap", nil), ("/app", "", nil), ("/app", "/", nil),
            ("/app", "/APP", nil), ("/app", "/x/app", nil), ("/app/", "/app", nil), ("/app/", "/app//x", 5),
            ("/app/", "/app/x", nil),
        ] as [(String, String, Int?)])
    func prefix(_ mount: String, _ path: String, _ count: Int?) {
        Array(path.utf8).withUnsafeBytes { path in
            #expect(MountPoint.length(of: Array(mount.utf8), in: path) == count)
        }
    }
}
