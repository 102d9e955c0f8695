import Testing

@Test func placeholderPlatform() { #expect(Bool(true)) }
