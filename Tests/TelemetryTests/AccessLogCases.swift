// Written by scripts/record_access_log.py: what gunicorn 27.0.1 logs. Do not edit.

extension AccessLogCase {
    static let recorded: [AccessLogCase] = [
        AccessLogCase(
            format: "%(h)s %(l)s %(u)s %(t)s \"%(r)s\" %(s)s %(b)s \"%(f)s\" \"%(a)s\"",
            expected: "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 12 \"-\" \"-\"\u{a}"),
        AccessLogCase(
            format: "%(h)s %(l)s %(u)s %(t)s \"%(r)s\" %(s)s %(b)s \"%(f)s\" \"%(a)s\"",
            expected:
                "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 404 0 \"http://a/\" \"curl \\\"8\\\"\"\u{a}",
            status: 404,
            sent: 0,
            request: [("Referer", "http://a/"), ("User-Agent", "curl \"8\"")]),
        AccessLogCase(
            format:
                "%(h)s|%(l)s|%(u)s|%(t)s|%(r)s|%(s)s|%(m)s|%(U)s|%(q)s|%(H)s|%(b)s|%(B)s|%(f)s|%(a)s|%(T)s|%(M)s|%(D)s|%(L)s|%(p)s",
            expected:
                "127.0.0.1|-|user|[06/Nov/1994:08:49:37 +0000]|GET /a?b=c HTTP/1.1|200|GET|/a|b=c|HTTP/1.1|12|12|-|-|3|3045|3045678|3.045678|<4321>\u{a}",
            microseconds: 3_045_678,
            request: [("Authorization", "Basic dXNlcjpwYXNz")]),
        AccessLogCase(
            format:
                "%(h)s|%(l)s|%(u)s|%(t)s|%(r)s|%(s)s|%(m)s|%(U)s|%(q)s|%(H)s|%(b)s|%(B)s|%(f)s|%(a)s|%(T)s|%(M)s|%(D)s|%(L)s|%(p)s",
            expected:
                "127.0.0.1|-|-|[06/Nov/1994:08:49:37 +0000]|POST / HTTP/1.1|200|POST|/||HTTP/1.1|-|None|-|-|0|1|1234|0.001234|<4321>\u{a}",
            method: "POST",
            target: "/",
            path: "/",
            query: "",
            sent: nil),
        AccessLogCase(
            format: "%(T)s %(T)d %(M)d %(D)d %(D)i %(M)u %(B)d %(L)s",
            expected: "59 59 59999 59999999 59999999 59999 12 59.999999\u{a}",
            microseconds: 59_999_999),
        AccessLogCase(
            format: "%(L)s %(D)s %(M)s",
            expected: "0.000007 7 0\u{a}",
            microseconds: 7),
        AccessLogCase(
            format: "%(L)s %(D)s %(M)s",
            expected: "0.000999 999 0\u{a}",
            microseconds: 999),
        AccessLogCase(
            format: "%(L)s %(D)s %(M)s",
            expected: "0.001000 1000 1\u{a}",
            microseconds: 1000),
        AccessLogCase(
            format: "%(T)5d|%(T)-5d|%(D)010d|%(h)20s|%(h)-20s|%(h).4s|%(T)+d|%(T) d|%%",
            expected: "    3|3    |0003000000|           127.0.0.1|127.0.0.1           |127.|+3| 3|%\u{a}",
            microseconds: 3_000_000),
        AccessLogCase(
            format: "%(h)5.2s|%(T)5.3d|%(T)#d|%(T)-05d|%(T)05s|%(h)05s|%(T)+5d|%(T)+s|%(T)+05d",
            expected: "   12|  003|3|3    |    3|127.0.0.1|   +3|3|+0003\u{a}",
            microseconds: 3_000_000),
        AccessLogCase(
            format: "%(h).0s|%(h)0s|%(h)1s|%(D).12d|%(D)+.12d|%(D)15.12d|%(h).s",
            expected: "|127.0.0.1|127.0.0.1|000003000000|+000003000000|   000003000000|\u{a}",
            microseconds: 3_000_000),
        AccessLogCase(
            format: "%(h)ls %(T)ld %(T)hd %(T)Ld",
            expected: "127.0.0.1 3 3 3\u{a}",
            microseconds: 3_000_000),
        AccessLogCase(
            format: "%(zzz)s %(Q)s %()s %(a(b)c)s %({)s %({}i)s %({x})s %({x}z)s",
            expected: "- - - - - - - -\u{a}"),
        AccessLogCase(
            format: "%({x-a}i)s %({X-A}i)s %({x-A}I)s %({nope}i)s",
            expected: "\\\"2\\\" \\\"2\\\" \\\"2\\\" -\u{a}",
            request: [("X-A", "1"), ("x-a", "\"2\"")]),
        AccessLogCase(
            format: "%({content-type}o)s %({Content-Type}O)s %({server}o)s",
            expected: "text/html text/html -\u{a}",
            response: [("Content-Type", "text/html")]),
        AccessLogCase(
            format: "%({x}o)s",
            expected: "2\u{a}",
            response: [("X", "1"), ("x", "2")]),
        AccessLogCase(
            format: "%({wsgi.url_scheme}e)s %({WSGI.URL_SCHEME}E)s %({nope}e)s",
            expected: "http http -\u{a}",
            environ: [("wsgi.url_scheme", "http")]),
        AccessLogCase(
            format: "%({x}e)s",
            expected: "1\\\"2\u{a}",
            environ: [("x", "1\"2")]),
        AccessLogCase(
            format: "plain text, 100 %% of it",
            expected: "plain text, 100 % of it\u{a}"),
        AccessLogCase(
            format: "",
            expected: "\u{a}"),
        AccessLogCase(
            format: "\u{e9} \u{4e2d} %(h)s\u{9}tab",
            expected: "\u{e9} \u{4e2d} 127.0.0.1\u{9}tab\u{a}"),
        AccessLogCase(
            format: "%(U)s",
            expected: "/caf\u{c3}\u{a9} \u{fc}\u{a}",
            path: "/caf\u{c3}\u{a9} \u{fc}"),
        AccessLogCase(
            format: "%(U)10s|%(U)-10s|%(U).3s|",
            expected: "     /\u{e9}\u{e8}\u{ea}\u{eb}|/\u{e9}\u{e8}\u{ea}\u{eb}     |/\u{e9}\u{e8}|\u{a}",
            path: "/\u{e9}\u{e8}\u{ea}\u{eb}"),
        AccessLogCase(
            format: "\"%(f)s\" \"%(a)s\"",
            expected: "\"\" \"\\\"\\\"\"\u{a}",
            request: [("Referer", ""), ("User-Agent", "\"\"")]),
        AccessLogCase(
            format: "%(h)s",
            expected: "\u{a}",
            address: ""),
        AccessLogCase(
            format: "%(s)s|%(s)5s",
            expected: "503|  503\u{a}",
            status: 503),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "Basic dXNlcjpwYXNz")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "basic  dXNlcjpwYXNz ")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "us\u{a}",
            request: [("Authorization", "BASIC dXM6")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "BasicX dXNlcjpwYXNz")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic dXNlcg")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "Basic dXNlcg==")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic dXNlcg=")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "Basic !!dXNl!cg==x")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "Basic d=XNlcg==")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "user\u{a}",
            request: [("Authorization", "Basic dX=NlcjpwYXNz")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "u\u{a}",
            request: [("Authorization", "Basic dX==NlcjpwYXNz")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic A")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic ====")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic ")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Bas")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Digest dXNlcjpwYXNz")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic OnBhc3M=")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "a\\\"b\u{a}",
            request: [("Authorization", "Basic YSJiOng=")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic /w==")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "\u{e9}\u{a}",
            request: [("Authorization", "Basic w6k6eA==")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "\u{e9}\u{a}",
            request: [("Authorization", "Basic w6k6/w==")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic 7aCAOng=")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "\u{10ffff}\u{a}",
            request: [("Authorization", "Basic 9I+/vzp4")]),
        AccessLogCase(
            format: "%(u)s",
            expected: "-\u{a}",
            request: [("Authorization", "Basic 9JCAgDp4")]),
    ]
}
