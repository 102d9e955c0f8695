"""The fixed text of docs/benchmarks.md."""

READING = """\
One worker process of each server on one CPU, [wrk](https://github.com/wg/wrk) on another. Every figure is a
median over rounds ({rounds}, each {seconds} s after {warm_up} s of warm-up), with the lowest and the highest in
parentheses. Each round goes over all servers, in another order, before the next begins, so that whatever
disturbs the machine disturbs all of them alike.

- **requests/s**: answers per second.
- **per CPU-second**: answers per second of user and system time of the server's whole process tree, master
  included. While the server's CPU is saturated and nobody else uses it, both figures say the same.
- **p50, p99**: latency as wrk sees it. wrk sends the next request on a connection when the last is answered, so
  under saturation latency is mostly the queue in front of the server: compare it between servers, do not read
  it as what a visitor waits.
- In the cases in which some requests are slow on purpose, the latencies are those of the fast ones alone, and the
  client is a closed loop of our own (`benchmarks/closed_loop.py`), since wrk does not tell requests apart.
- **PSS**: memory of the process tree after the load, shared pages divided among those who share them.
- **monoceros ÷ this**: computed within each round, then the median. Above 1, monoceros does more."""

MARKS = """\
- † Some requests failed. Failed rounds are left out of the figures and ratios where there are others; where
  there are none, the figures are those of the failed rounds and there is no ratio.
- ‡ Fewer than half of the client's connections were being served at a time (by Little's law, from the rate and
  the mean latency). The latencies are those of the lucky ones; the others waited, and wrk does not count them.
- § The client used up its CPU before the server did: the server could answer more than this rate. Its requests
  per CPU-second are still its own."""

ONE_SERVER = """\
## Several workers, one server

How near several workers come to one queue for all (`python -m benchmarks.one_server`). The application waits 10 ms,
clients keep their connections, and server and clients have both CPUs; medians of {rounds} interleaved rounds of
{seconds:g} s, measured on {date}. `one queue` is the rate of a server in which nobody waits while a runner is idle. In
the last row half of the clients ask for 1.5 s, and the figures are those of the others.
"""

FOOTPRINT = """\
## Footprint

![Memory and start-up of each server](benchmarks-footprint.svg)

Start to first answer: from the start of the command to the first successful response, median of five, not under
load. An idle connection: private memory that the process tree gains from 1,000 connections that made one
request each and stay open, divided by 1,000. The kernel's own memory for sockets is not in it. A server that
took memory before and gave it back to its allocator, not to the system, gains less than it uses."""

CAVEATS = """\
- Client and server talk over loopback on one machine. A network card, TLS and a proxy in front cost more than
  most of these differences.
- Hello, World measures the server alone. Flask and Django show how much of a difference remains with a
  framework.
- Not all servers do the same work: see the notes. Some skip header checks, time-outs or response headers that
  others have.
- Two virtual CPUs may share caches and a memory bus, or a physical core: the client's work then slows the
  server's.
- The ratios carry over to other machines better than the rates, but not exactly. Repeat it on yours."""

REPEAT = """\
```
make bench                                               # everything
.venv/bin/python -m benchmarks --quick                   # a first impression
.venv/bin/python -m benchmarks --cases hello,browser --servers monoceros,bjoern --rounds 5
.venv/bin/python -m benchmarks list                      # what there is to choose
.venv/bin/python -m benchmarks render                    # this page again, from the recorded results
```

It needs `wrk`, a C compiler and, for bjoern, libev's headers (Debian: `apt-get install wrk libev-dev`). The
other servers are installed from PyPI, in the versions of `benchmarks/requirements-peers.txt`, into
`.venv-peers`. The applications are in `benchmarks/apps.py`, the command lines in `benchmarks/servers.py`. Runs
of a part of the suite write to `build/benchmarks` and leave this page alone."""
