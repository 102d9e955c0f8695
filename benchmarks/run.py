"""The measuring itself: rounds over cases over servers, interleaved, so that what disturbs one disturbs all."""

import datetime
import os
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cases, closed_loop, environment, load, probe
from benchmarks.process import TICKS_PER_SECOND, Process, cpu_ticks
from benchmarks.servers import Place

STARTS = 5
IDLE_CONNECTIONS = 1000
FORMAT = 1


@dataclass
class Plan:
    servers: list
    cases: list
    start: bool
    idle: bool
    rounds: int
    seconds: int
    warm_up: int
    peers: Path
    own: Path
    missing: dict[str, str] = field(default_factory=dict)


class Bench:
    def __init__(self, plan: Plan, save, say=print):
        self.plan = plan
        self.save = save
        self.say = say
        self.allowed = os.sched_getaffinity(0)
        self.cpus = environment.split_cpus(self.allowed)
        self.variables = environment.server_environment(plan.peers)
        self.results = self._empty_results()

    def _empty_results(self):
        plan = self.plan
        have = environment.installed(plan.peers / "bin" / "python")
        own = environment.installed(plan.own / "python")
        versions = {
            server.name: (own if server.is_reference else have).get(environment.normal(server.package), "")
            for server in plan.servers
        }
        frameworks = {name: have[name] for name in ("flask", "django") if name in have}
        return {
            "format": FORMAT,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": environment.machine(),
            "pinned": self.cpus.apart,
            "settings": {"rounds": plan.rounds, "seconds": plan.seconds, "warm_up": plan.warm_up},
            "servers": {
                server.name: {
                    "title": server.title,
                    "version": versions[server.name],
                    "threads": server.threads,
                    "reference": server.is_reference,
                    "note": server.note,
                    "command": self._shown_command(server),
                }
                for server in plan.servers
            },
            "frameworks": frameworks,
            "cases": {
                case.name: {
                    "title": case.title,
                    "connections": case.connections,
                    "threads": case.threads,
                    "workers": case.workers,
                    "tells_paths_apart": case.tells_paths_apart,
                }
                for case in plan.cases
            },
            "missing": dict(plan.missing),
            "samples": [],
            "failures": [],
            "start": {},
            "idle": {},
        }

    def _shown_command(self, server):
        """The command line without this machine's directories, for the reader who wants to repeat it."""
        place = Place("APP", 8000, self.plan.peers / "bin", self.plan.own, threads=server.threads)
        first, *rest = server.command(place)
        return " ".join([Path(first).name, *rest])

    def run(self):
        """Everything in the plan. Results are saved as they come, so that an interrupted run keeps what it has."""
        # Enough descriptors for the idle connections, on both sides: the servers inherit the limit.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * IDLE_CONNECTIONS)), hard))
        os.sched_setaffinity(0, self.cpus.client)
        try:
            for number in range(self.plan.rounds):
                for case in self.plan.cases:
                    for server in self._order(number):
                        if server.takes_part(case):
                            self._sample(number, case, server)
                    self.save(self.results)
            if self.plan.start:
                self._starts()
            if self.plan.idle:
                self._idle()
        finally:
            os.sched_setaffinity(0, self.allowed)
            self.save(self.results)
        return self.results

    def _order(self, number):
        """The servers, starting with another one each round: the first of a row must not always be the same."""
        servers = self.plan.servers
        # With fewer rounds than servers, steps of one would hardly move anybody.
        shift = number * max(1, len(servers) // self.plan.rounds) % len(servers)
        return servers[shift:] + servers[:shift]

    def _process(self, server, case, port):
        threads = case.threads if case.threads and server.threads > 1 else server.threads
        place = Place(case.app, port, self.plan.peers / "bin", self.plan.own, case.workers, threads)
        cpus = self.cpus.server if case.workers == 1 else frozenset(self.allowed)
        return Process(server.command(place), set(cpus), self.variables, environment.PROJECT)

    def _fail(self, what, server, error, number=None):
        reason = environment.neutral(str(error))
        self.results["failures"].append({"case": what, "server": server.name, "round": number, "reason": reason})
        self.say(f"  {server.name}: {reason}")

    def _sample(self, number, case, server):
        try:
            sample = self._measure(case, server)
        except (probe.ProbeError, load.LoadError, OSError) as error:
            self._fail(case.name, server, error, number)
            return
        sample = {"case": case.name, "server": server.name, "round": number, **sample}
        self.results["samples"].append(sample)
        note = f"  {sample['errors']} errors" if sample["errors"] else ""
        self.say(
            f"round {number + 1}/{self.plan.rounds}  {case.name:12} {server.name:18}"
            f"{sample['requests_per_second']:>10,.0f} requests/s"
            f"{sample['requests_per_cpu_second']:>10,.0f} per CPU-second  p99 {sample['tail_us'] / 1000:.2f} ms{note}"
        )

    def _measure(self, case, server):
        port = probe.free_port()
        if case.workers > 1:
            os.sched_setaffinity(0, self.allowed)
        else:
            os.sched_setaffinity(0, self.cpus.client)
        with self._process(server, case, port) as process:
            probe.wait_for_answer(process, port, case.paths[0].path)
            kept = probe.check(case, port)
            generate = closed_loop.run if case.tells_paths_apart else load.run
            generate(case, port, self.plan.warm_up, case.connections)
            cpu = min(self.cpus.server)
            began, busy, used = time.perf_counter(), cpu_ticks(cpu), process.cpu_seconds()
            report = generate(case, port, self.plan.seconds, case.connections)
            used = process.cpu_seconds() - used
            busy = (cpu_ticks(cpu) - busy) / TICKS_PER_SECOND
            elapsed = time.perf_counter() - began
            if not process.alive:
                raise probe.ProbeError(f"ended under load: {process.ending()}")
            if report.requests == 0 or used <= 0:
                raise probe.ProbeError("answered no request under load")
            memory = process.memory()
            probe.check(case, port)
        return {
            "requests": report.requests,
            "requests_per_second": report.requests_per_second,
            "requests_per_cpu_second": report.requests / used,
            "p50_us": report.percentiles[50.0],
            "tail_us": report.percentiles[99.0],
            "errors": report.errors,
            "error_kinds": {
                kind: count for kind, count in {**report.socket_errors, "status": report.bad_statuses}.items() if count
            },
            "concurrency": report.concurrency,
            "kept_alive": kept,
            "pss_kib": memory["pss"],
            "server_cpu": used / elapsed,
            "client_cpu": report.client_cpu_seconds / elapsed,
            "foreign_cpu": max(0.0, busy - used) / elapsed if case.workers == 1 and self.cpus.apart else None,
        }

    def _starts(self):
        case = cases.CASES["hello"]
        for number in range(STARTS):
            for server in self._order(number):
                port = probe.free_port()
                try:
                    with self._process(server, case, port) as process:
                        seconds = probe.wait_for_answer(process, port, "/")
                except (probe.ProbeError, OSError) as error:
                    self._fail(cases.START, server, error, number)
                    continue
                self.results["start"].setdefault(server.name, []).append(seconds)
        for name, seconds in self.results["start"].items():
            self.say(f"start  {name:18} {sorted(seconds)[len(seconds) // 2] * 1000:8.0f} ms to the first answer")
        self.save(self.results)

    def _idle(self):
        case = cases.CASES["hello"]
        for server in self.plan.servers:
            port = probe.free_port()
            try:
                with self._process(server, case, port) as process:
                    probe.wait_for_answer(process, port, "/")
                    measured = probe.idle_memory(process, port, IDLE_CONNECTIONS)
            except (probe.ProbeError, OSError) as error:
                self._fail(cases.IDLE, server, error)
                continue
            self.results["idle"][server.name] = measured
            self.say(f"idle  {server.name:18} {measured['bytes_per_connection']:10,.0f} bytes a connection")
