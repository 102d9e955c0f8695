import Testing

@testable import WSGI

@Suite struct EnvironNameTests {
    @Test(arguments: [
        ("host", "HTTP_HOST"), ("x-forwarded-for", "HTTP_X_FORWARDED_FOR"), ("content-type", "CONTENT_TYPE"),
        ("content-length", "CONTENT_LENGTH"), ("content_length", "HTTP_CONTENT_LENGTH"),
        ("content_type", "HTTP_CONTENT_TYPE"), ("content-length-x", "HTTP_CONTENT_LENGTH_X"), ("a.b~1", "HTTP_A.B~1"),
    ])
    func keys(_ name: String, _ key: String) {
        #expect(EnvironFieldCache.key(of: Array(name.utf8)) == key)
    }
}
