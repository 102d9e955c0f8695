"""docs/benchmarks.md and its charts, from recorded results alone."""

from statistics import median

from benchmarks import chart, prose, summary


def pages(results: dict, one_server: dict | None = None) -> dict[str, str]:
    """File name to content. `one_server` is what `benchmarks.one_server` has recorded."""
    found = {"benchmarks.md": page(results, one_server)}
    if results["samples"]:
        found["benchmarks.svg"] = rates_chart(results)
    if results["start"] or results["samples"] or results["idle"]:
        found["benchmarks-footprint.svg"] = footprint_chart(results)
    return found


def label(results, name, threads=None):
    server = results["servers"][name]
    count = threads if threads and server["threads"] > 1 else server["threads"]
    title = server["title"].removesuffix(", threads")
    return f"{title} ({count} threads)" if count > 1 else title


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def spread(value, form):
    if value.low == value.high:
        return form(value.middle)
    return f"{form(value.middle)} ({form(value.low)}–{form(value.high)})"


def count(value):
    return f"{value:,.0f}"


def milliseconds(microseconds):
    return f"{microseconds / 1000:.2f}"


def mebibytes(kib):
    return f"{kib / 1024:.1f}"


def times(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def marks(row, case):
    found = "†" if row.errors else ""
    found += "‡" if summary.starved(row, case["connections"]) else ""
    return found + ("§" if summary.client_bound(row) else "")


def case_section(results, name):
    case = results["cases"][name]
    rows = summary.rows(results, name)
    if not rows:
        return ""
    references = [row.server for row in rows if results["servers"][row.server]["reference"]]
    tail = "p99 of the fast" if case.get("tells_paths_apart") else "p99"
    header = ["", "requests/s", "per CPU-second", "p50 ms", f"{tail} ms", "PSS MiB"]
    for reference in references:
        title = label(results, reference, case["threads"])
        header += [f"{title} ÷ this, requests/s", "per CPU-second"]
    lines = []
    for row in rows:
        own = results["servers"][row.server]["reference"]
        title = label(results, row.server, case["threads"])
        line = [
            (f"**{title}**" if own else title) + (f" {marks(row, case)}" if marks(row, case) else ""),
            spread(row.rate, count),
            count(row.per_cpu.middle),
            milliseconds(row.p50.middle),
            milliseconds(row.tail.middle),
            mebibytes(row.pss_kib),
        ]
        for reference in references:
            for ratios in (row.rate_ratios, row.per_cpu_ratios):
                line.append(spread(ratios[reference], times) if reference in ratios else "–")
        lines.append(line)
    workers = f", {case['workers']} workers" if case["workers"] > 1 else ""
    return f"### {case['title']}\n\n{case['connections']} connections{workers}.\n\n{table(header, lines)}\n"


def hello_pss(results):
    """PSS in KiB after the hello load, per server."""
    found = {}
    for sample in results["samples"]:
        if sample["case"] == "hello":
            found.setdefault(sample["server"], []).append(sample["pss_kib"])
    return found


def footprint_section(results):
    pss = hello_pss(results)
    refused = {f["server"]: f["reason"] for f in results["failures"] if f["case"] == "idle"}
    lines = []
    for name in results["servers"]:
        start, idle = results["start"].get(name), results["idle"].get(name)
        if not (name in pss or start or idle):
            continue
        if idle:
            held = "" if idle["held"] == idle["connections"] else f" (kept {idle['held']:,} of {idle['connections']:,})"
            idle_text = f"{idle['bytes_per_connection']:,.0f}{held}"
        else:
            idle_text = refused.get(name, "–")
        lines.append(
            [
                f"**{label(results, name)}**" if results["servers"][name]["reference"] else label(results, name),
                mebibytes(median(pss[name])) if name in pss else "–",
                spread(summary.Spread.of([second * 1000 for second in start]), count) if start else "–",
                idle_text,
            ]
        )
    if not lines:
        return ""
    header = ["", "PSS after hello, MiB", "start to first answer, ms", "an idle connection, bytes"]
    return f"{prose.FOOTPRINT}\n{table(header, lines)}\n"


def one_server_section(results, record):
    """Several workers beside one queue for all; nothing where servers are left out of the results."""
    if not {name for row in record["rows"] for name in row["servers"]} <= set(results["servers"]):
        return ""
    lines = []
    for row in record["rows"]:
        for number, (name, found) in enumerate(row["servers"].items()):
            title = label(results, name, row["threads"])
            figures = [f"{found['rate']:,.0f}", f"{found['p50']:.1f}", f"{found['p99']:.1f}", f"{found['worst']:.1f}"]
            own = results["servers"][name]["reference"]
            lines.append(
                [row["load"] if number == 0 else "", f"**{title}**" if own else title]
                + figures[:1]
                + [row["ideal"] or "–"]
                + figures[1:]
            )
    header = ["", "", "requests/s", "one queue", "p50 ms", "p99 ms", "longest ms"]
    return prose.ONE_SERVER.format(**record) + "\n" + table(header, lines) + "\n"


def machine_section(results):
    machine = results["machine"]
    versions = ", ".join(
        sorted(
            {
                f"{server['title'].split(',')[0].split(' ')[0]} {server['version']}"
                for server in results["servers"].values()
            }
        )
    )
    frameworks = ", ".join(f"{name.capitalize()} {version}" for name, version in results["frameworks"].items())
    other = summary.disturbance(results)
    lines = [
        f"- {machine['cpus']} CPUs ({machine['cpu']}), {machine['kernel']}, CPython {machine['python']}",
        f"- {versions}" + (f"; {frameworks}" if frameworks else ""),
        f"- measured on {results['date']}; server and client "
        + ("pinned to different CPUs" if results["pinned"] else "**sharing one CPU**, which says little"),
    ]
    if other:
        lines.append(
            f"- CPU taken by other processes from the server's CPU: median {other.middle:.1%}, at most {other.high:.1%}"
        )
    return "\n".join(lines)


def notes_section(results):
    lines = [
        f"- **{label(results, name)}**: {server['note']}"
        for name, server in results["servers"].items()
        if server["note"]
    ]
    lines += [f"- **{name}** was not measured: {reason}" for name, reason in results["missing"].items()]
    errors = {}
    for sample in results["samples"]:
        for kind, number in sample["error_kinds"].items():
            key = (sample["server"], sample["case"], kind)
            errors[key] = errors.get(key, 0) + number
    lines += [
        f"- **{label(results, server)}**, {results['cases'][case]['title']}: {number:,} errors ({kind})"
        for (server, case, kind), number in errors.items()
    ]
    failures = {}
    for failure in results["failures"]:
        if failure["case"] != "idle":
            title = results["cases"].get(failure["case"], {}).get("title", failure["case"])
            failures[(failure["server"], title, failure["reason"])] = None
    lines += [f"- **{label(results, server)}**, {title}: {reason}" for server, title, reason in failures]
    commands = "\n".join(server["command"] for server in results["servers"].values())
    return "## Notes on the servers\n\n" + "\n".join(lines) + f"\n\nHow each was started:\n\n```\n{commands}\n```\n"


def page(results, one_server=None):
    settings = results["settings"]
    sections = [case_section(results, name) for name in results["cases"]]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "<!-- Generated by `python -m benchmarks render` from benchmarks/results/latest.json. -->",
            "",
            machine_section(results),
            "",
            *(["![Requests per second of each server](benchmarks.svg)", ""] if results["samples"] else []),
            "## How to read it",
            "",
            prose.READING.format(**settings),
            "",
            "Marks:",
            "",
            prose.MARKS,
            "",
            "## Cases",
            "",
            *[section for section in sections if section],
            *([one_server_section(results, one_server)] if one_server else []),
            footprint_section(results),
            notes_section(results),
            "## Caveats",
            "",
            prose.CAVEATS,
            "",
            "## How to repeat it",
            "",
            prose.REPEAT,
            "",
        ]
    )


def subtitle(results):
    settings = results["settings"]
    return (
        f"One worker on one CPU, medians with the lowest and highest, rounds: {settings['rounds']}; CPython "
        f"{results['machine']['python']}, {results['date']}"
    )


def rates_chart(results):
    panels = []
    for name, case in results["cases"].items():
        bars = [
            chart.Bar(
                label(results, row.server, case["threads"]),
                row.rate.middle,
                row.rate.low,
                row.rate.high,
                results["servers"][row.server]["reference"],
                marks(row, case),
            )
            for row in summary.rows(results, name)
        ]
        if bars:
            panels.append(chart.Panel(case["title"], "requests per second", bars))
    return chart.draw("Requests per second", subtitle(results) + "; marks: see the page", panels)


def footprint_chart(results):
    def panel(title, unit, values):
        bars = [
            chart.Bar(label(results, name), value.middle, value.low, value.high, results["servers"][name]["reference"])
            for name, value in sorted(values.items(), key=lambda item: item[1].middle)
        ]
        return [chart.Panel(title, unit, bars)] if bars else []

    pss = {name: summary.Spread.of(kib / 1024 for kib in values) for name, values in hello_pss(results).items()}
    starts = {name: summary.Spread.of(second * 1000 for second in values) for name, values in results["start"].items()}
    panels = panel("Memory after the hello load", "MiB (PSS of all processes)", pss)
    panels += panel("Start to first answer", "milliseconds", starts)
    return chart.draw("Memory and start-up: less is better", subtitle(results), panels)
