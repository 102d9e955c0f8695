import ProxyWire
import Testing

@Suite struct AddressListTests {
    private func list(_ entries: String...) throws -> AddressList {
        var list = AddressList()
        for entry in entries { try list.add(entry) }
        return list
    }

    private func matches(_ list: AddressList, _ text: String) throws -> Bool {
        list.contains(try #require(IPAddress(text)))
    }

    @Test func nobodyIsInAnEmptyList() throws {
        for address in ["0.0.0.0", "127.0.0.1", "::", "::1"] { #expect(try !matches(list(), address)) }
    }

    @Test func everybodyIsInTheStar() throws {
        for address in ["0.0.0.0", "127.0.0.1", "::", "::1", "::ffff:1.2.3.4"] {
            #expect(try matches(list("*"), address))
        }
    }

    @Test(arguments: [
        ("127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", "::127.0.0.1"]),
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "a::"]),
        ("10.0.0.0/255.0.0.0", ["10.255.255.255"], ["11.0.0.0"]),
        ("10.0.0.0/0.255.255.255", ["10.255.255.255"], ["11.0.0.0"]),
        ("192.168.4.0/22", ["192.168.7.255"], ["192.168.8.0", "192.168.3.255"]),
        ("1.2.3.4/32", ["1.2.3.4"], ["1.2.3.5"]),
        ("0.0.0.0/0", ["255.255.255.255", "::ffff:1.2.3.4"], ["::1"]),
        ("::1", ["::1"], ["::2", "0.0.0.1", "127.0.0.1"]),
        ("fd00::/8", ["fd00::", "fdff:ffff::1"], ["fe00::", "fc00::"]),
        ("2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]),
        ("::/0", ["::1", "ffff::", "::ffff:1.2.3.4"], ["1.2.3.4"]),
        ("::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0", "::ffff:11.0.0.0"]),
        ("::ffff:1.2.3.4", ["1.2.3.4", "::ffff:1.2.3.4"], ["1.2.3.5"]),
    ])
    func finds(entry: String, inside: [String], outside: [String]) throws {
        for address in inside { #expect(try matches(list(entry), address), "\(address)") }
        for address in outside { #expect(try !matches(list(entry), address), "\(address)") }
    }

    @Test func severalEntriesAddUp() throws {
        let list = try list("127.0.0.1", "::1", "10.0.0.0/8")
        for address in ["127.0.0.1", "::1", "10.9.9.9"] { #expect(try matches(list, address)) }
        #expect(try !matches(list, "127.0.0.2"))
    }

    @Test(arguments: [
        ("", "IP addresses"), ("localhost", "IP addresses"), ("127.0.0.1:80", "IP addresses"), ("**", "IP addresses"),
        ("[::1]", "IP addresses"), ("/8", "IP addresses"), ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/-1", "from 0 to 32"), ("10.0.0.0/+8", "from 0 to 32"), ("10.0.0.0/8/8", "from 0 to 32"),
        ("10.0.0.0/255.0.255.0", "from 0 to 32"), ("::/129", "from 0 to 128"), ("::/ffff::", "from 0 to 128"),
        ("::/99999999999999999999", "from 0 to 128"), ("10.0.0.1/8", "not the first"), ("10.0.0.0/4", "not the first"),
        ("::1/64", "not the first"), ("10.0.0.1/0", "not the first"),
    ])
    func refusesWhatIsNoEntry(entry: String, mention: String) {
        let error = #expect(throws: AddressList.ParseError.self) { try list(entry) }
        #expect(error?.remedy.contains(mention) == true, "\(error?.remedy ?? "accepted")")
    }
}
