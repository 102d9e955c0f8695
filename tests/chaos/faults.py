"""The faults. Each says what it does, what it is expected to cost, and how to tell when it cost more."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.waiting import until

from chaos.clock import JumpingClock
from chaos.load import Connection, Failed, Kind, Load, Tally
from chaos.presence import Presence
from chaos.server import Server, send

#: Seconds in which the server has to be whole again, and to answer.
RECOVERY = 30.0
#: Seconds for which a worker may run and nobody get an answer. It has to load the application, on a machine that may
#: have other things to do.
UNANSWERED = 1.0
#: Larger than what is kept in memory by default, so that it goes to a file.
LARGE = 3 * 1024 * 1024
UPLOAD = Kind("/length", bytes(LARGE), b"%d" % LARGE)
#: What the log says when the system gives no process (EAGAIN).
FORK_FAILED = r"fork.*temporarily unavailable"
#: How a request ends whose worker is gone.
LOST = ("reset", "unanswered", "cut")

#: A configuration file by which the master may not fork while there is a file. It sets its own limit: for that of
#: another user's process, root would need a capability that containers do not have.
LIMITED = """
import os, resource
def pre_fork(server, worker):
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (1 if os.path.exists({path!r}) else hard, hard))
"""


class Skip(Exception):
    """Why a fault cannot be made here."""


@dataclass
class Scene:
    """A server under load, and what was done to it."""

    directory: Path
    arguments: list[str]
    seconds: float
    chance: random.Random
    workers: int = 2
    done: int = 0
    #: How much of the longest gap without an answer some worker could have given one, in seconds; None where nobody
    #: looked.
    unexplained: float | None = None
    server: Server | None = None
    complaints: list[str] = field(default_factory=list)

    def start(self, *more: str, **options) -> Server:
        self.server = Server(self.directory, [*self.arguments, *more], self.workers, **options)
        return self.server

    def load(self, **options) -> Load:
        assert self.server is not None
        return Load(("127.0.0.1", self.server.port), **options)

    def beats(self, pause: float) -> Iterator[None]:
        """For as long as the fault lasts, once a pause, of which the length varies by half."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            yield
            time.sleep(min(pause * self.chance.uniform(0.5, 1.5), max(0.0, end - time.monotonic())))

    def recover(self, load: Load) -> None:
        """Waits until there are enough workers, and requests are answered again."""
        assert self.server is not None
        try:
            until(self.server.is_whole, "all workers", RECOVERY)
            before = load.answered()
            until(lambda: load.answered() >= before + 3 * load.connections, "answers", RECOVERY)
        except TimeoutError as error:
            self.complaints.append(f"did not recover: {error}")

    def explain_gap(self, tally: Tally, presence: Presence) -> None:
        """Complains of a time without an answer in which a worker ran: the pause before a fork is no reason then."""
        began, ended = tally.gap
        self.unexplained = presence.within(began, ended)
        if self.unexplained > UNANSWERED:
            self.complaints.append(f"no answer for {self.unexplained:.1f} s while a worker ran")

    def expect(self, tally: Tally, most: int, causes: tuple[str, ...] = ()) -> None:
        """Complains of more failures than these, and of any for another cause."""
        if tally.failed > most:
            self.complaints.append(f"{tally.failed} failed, expected at most {most}")
        for cause in tally.failures:
            if cause not in causes:
                self.complaints.append(f"{tally.failures[cause]} × {cause}, which was not expected")


@dataclass(frozen=True)
class Fault:
    name: str
    #: What it is expected to cost, for docs/reliability.md.
    cost: str
    run: Callable[[Scene], Tally]
    #: An option without which the server cannot be put through this.
    needs: str | None = None


def killed(scene: Scene) -> Tally:
    server = scene.start()
    with Presence(server) as presence, scene.load() as load:
        for _ in scene.beats(0.7):
            if workers := server.workers():
                scene.done += send(scene.chance.choice(workers), signal.SIGKILL)
        scene.recover(load)
        tally = load.stop()
    scene.explain_gap(tally, presence)
    # What was under way on the connections that the worker had, and no more.
    scene.expect(tally, scene.done * load.connections, LOST)
    return tally


def stopped(scene: Scene) -> Tally:
    server = scene.start()
    with scene.load() as load:
        for _ in scene.beats(0.5):
            worker = scene.chance.choice(server.workers() or [0])
            if worker and send(worker, signal.SIGSTOP):
                scene.done += 1
                time.sleep(scene.chance.uniform(0.05, 0.8))
                send(worker, signal.SIGCONT)
        scene.recover(load)
        tally = load.stop()
    scene.expect(tally, 0)
    return tally


def stormed(scene: Scene) -> Tally:
    server, kills = scene.start(), 0
    held: set[int] = set()
    with Presence(server) as presence, scene.load() as load:
        for _ in scene.beats(0.2):
            workers = server.workers()
            if not workers:
                continue
            worker, number = scene.chance.choice(workers), scene.chance.choice(["KILL", "STOP", "CONT", "CONT"])
            # One at least goes on, or it is no wonder that nobody is served.
            if number == "STOP" and len(held & set(workers)) >= len(workers) - 1:
                continue
            scene.done += send(worker, signal.Signals[f"SIG{number}"])
            kills += number == "KILL"
            held = held | {worker} if number == "STOP" else held - {worker}
        for worker in held:
            send(worker, signal.SIGCONT)
        scene.recover(load)
        tally = load.stop()
    scene.explain_gap(tally, presence)
    scene.expect(tally, kills * load.connections, LOST)
    return tally


def forkless(scene: Scene) -> Tally:
    # Root may fork beyond RLIMIT_NPROC. Another user may not, who may read what root has installed.
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            raise Skip("root may fork beyond RLIMIT_NPROC, and there is no setpriv to become another user")
        may = "+dac_override"
        prefix = ("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", may, "--ambient-caps", may)
    barrier, config = scene.directory / "no-more", scene.directory / "limited.py"
    config.write_text(LIMITED.format(path=str(barrier)))
    server = scene.start("-c", str(config), prefix=prefix)
    with scene.load() as load:
        for _ in scene.beats(2.0):
            barrier.touch()
            if workers := server.workers():
                scene.done += send(scene.chance.choice(workers), signal.SIGKILL)
            time.sleep(1.0)
            barrier.unlink()
            with contextlib.suppress(TimeoutError):
                until(server.is_whole, "all workers", RECOVERY)
        scene.recover(load)
        tally = load.stop()
    if not re.search(FORK_FAILED, server.log(), re.IGNORECASE):
        scene.complaints.append("the log tells of no fork that failed")
    scene.expect(tally, scene.done * load.connections, LOST)
    return tally


def few_descriptors(scene: Scene) -> Tally:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    scene.start(limits=limit)
    with scene.load(kept=80, fresh=20) as load:
        for _ in scene.beats(scene.seconds):
            scene.done += 1
        scene.recover(load)
        tally = load.stop()
    scene.expect(tally, 0)
    return tally


def full_log(scene: Scene) -> Tally:
    if not Path("/dev/full").exists():
        raise Skip("there is no /dev/full")
    # The port is not to be read from a log that takes nothing.
    first = Server(scene.directory, scene.arguments, 1)
    port = first.port
    first.stop()
    more = ("--log-level", "debug", "--access-logfile", "/dev/full")
    server = scene.start(*more, port=port, log=Path("/dev/full"))
    with scene.load() as load:
        for _ in scene.beats(2.0):
            # There is something to say, too.
            scene.done += any(send(worker, signal.SIGTERM) for worker in server.workers()[:1])
        scene.recover(load)
        tally = load.stop()
    scene.expect(tally, 0)
    return tally


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = directory / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        raise Skip("a small file system can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def full_spool(scene: Scene) -> Tally:
    with small_disk(scene.directory) as place:
        scene.start("--tmp-upload-dir", str(place))
        # Every third client uploads.
        with scene.load(kinds=(Kind(), Kind("/wait"), UPLOAD)) as load:
            for _ in scene.beats(scene.seconds):
                scene.done += 1
            scene.recover(load)
            tally = load.stop()
        assert scene.server is not None
        scene.server.stop()
    told = sum(count for cause, count in tally.failures.items() if cause.startswith("status "))
    scene.expect(tally, tally.failed, ("status 507", "status 503"))
    if not told:
        scene.complaints.append("no upload was told that there is no space")
    return tally


def leaking(scene: Scene) -> Tally:
    scene.start("--max-requests", "200", "--max-requests-jitter", "50")
    with scene.load(kinds=(Kind("/leak"),)) as load:
        for _ in scene.beats(scene.seconds):
            pass
        scene.recover(load)
        tally = load.stop()
    assert scene.server is not None
    scene.done = max(0, scene.server.log().count("Booting worker") - scene.workers)
    if not scene.done:
        scene.complaints.append("no worker was recycled")
    scene.expect(tally, 0)
    return tally


def leaking_by_memory(scene: Scene) -> Tally:
    scene.start("--max-worker-memory", str(96 * 1024 * 1024))
    with scene.load(kinds=(Kind("/leak"),)) as load:
        for _ in scene.beats(scene.seconds):
            pass
        scene.recover(load)
        tally = load.stop()
    assert scene.server is not None
    scene.done = max(0, scene.server.log().count("Booting worker") - scene.workers)
    if not scene.done:
        scene.complaints.append("no worker was recycled")
    scene.expect(tally, 0)
    return tally


def master_killed(scene: Scene) -> Tally:
    server = scene.start()
    # As long as its successor needs, nobody listens.
    with scene.load() as load:
        for _ in scene.beats(3.0):
            former = server
            send(former.pid, signal.SIGKILL)
            former.process.wait()
            scene.done += 1
            try:
                until(lambda former=former: not former.members(), "the workers to leave", RECOVERY)
            except TimeoutError as error:
                scene.complaints.append(f"orphans: {error}")
                former.kill()
            server = scene.start(port=server.port)
        scene.recover(load)
        tally = load.stop()
    scene.expect(tally, tally.failed, ("refused", *LOST))
    return tally


def jumping_clock(scene: Scene) -> Tally:
    try:
        clock = JumpingClock(scene.directory)
    except LookupError as error:
        raise Skip(str(error)) from None
    # Much that has a deadline, each shorter than most of the jumps.
    more = ("--access-logfile", "/dev/null", "--timeout", "5", "--keep-alive", "30", "--max-worker-lifetime", "1800")
    server = scene.start(*more, variables=clock.variables)
    with scene.load() as load:
        for _ in scene.beats(0.7):
            ahead = scene.chance.choice([-86400, -3600, -60, 0, 60, 3600, 86400])
            clock.set(ahead)
            scene.done += 1
            try:
                until(lambda ahead=ahead: abs(date(server) - time.time() - ahead) < 10, "the field Date", 10)
            except TimeoutError as error:
                scene.complaints.append(f"does not follow the clock: {error}")
        scene.recover(load)
        tally = load.stop()
    scene.expect(tally, 0)
    if server.log().count("Booting worker") != scene.workers:
        scene.complaints.append("a worker was replaced")
    return tally


def date(server: Server) -> float:
    """What the server takes the time to be, in seconds since 1970."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
    finally:
        connection.close()


def hung(scene: Scene) -> Tally:
    """A request that keeps Python's lock in C code for ever, now and then."""
    server = scene.start("--timeout", "1")
    lost = 0
    with scene.load() as load:
        for _ in scene.beats(2.0):
            with contextlib.suppress(Failed):
                Connection(("127.0.0.1", server.port)).ask(Kind("/hang"), keep=False)
            lost += 1
            scene.done += 1
        scene.recover(load)
        tally = load.stop()
    if server.log().count("is killed. It is here:") < lost:
        scene.complaints.append("the log does not say where each one was")
    scene.expect(tally, scene.done * load.connections, LOST)
    return tally


def reloaded(scene: Scene) -> Tally:
    server = scene.start()
    with scene.load() as load:
        for _ in scene.beats(1.0):
            scene.done += send(server.pid, signal.SIGHUP)
        scene.recover(load)
        tally = load.stop()
    scene.expect(tally, 0)
    return tally


FAULTS = (
    Fault("kill", "the requests that the worker had begun, at most one for each of its connections", killed),
    Fault("stop", "nothing: what the worker has waits until it is continued, others go on", stopped),
    Fault("storm", "as for `kill`", stormed),
    Fault("fork", "as for `kill`; the workers that are left serve until the machine can fork again", forkless),
    Fault(
        "descriptors", "nothing: idle connections give way to new ones, and those who ask all the time", few_descriptors
    ),
    Fault("log", "nothing but the log; workers that are told to leave cost nothing", full_log),
    Fault("spool", "large uploads, told by 507 or 503; nothing else", full_spool),
    Fault("leak", "nothing: another worker has the connections of one that leaves", leaking, needs="--max-requests"),
    Fault("memory", "as for `leak`", leaking_by_memory, needs="--max-worker-memory"),
    Fault("master", "everything until another master listens; no worker stays behind", master_killed),
    Fault("reload", "nothing", reloaded, needs="--reload"),
    Fault("clock", "nothing: all deadlines are on the monotonic clock", jumping_clock),
    Fault("hang", "what the worker that hangs had begun, at most one for each of its connections", hung),
)
