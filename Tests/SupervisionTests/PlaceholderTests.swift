import Testing

@Test func placeholderSupervision() { #expect(Bool(true)) }
