"""Where a running server answers its operator."""

from __future__ import annotations

import os

from monoceros.admin.client import Client, NotReachable

VARIABLE = "MONOCEROS_ADMIN"

HINT = f"""\
No server found: none of --admin, {VARIABLE}, --pid-file and the configuration in this directory names one.
Start the server with --admin-bind unix:PATH, and say --admin unix:PATH here."""


def find(admin: str | None, pid_file: str | None, config: str | None = None) -> Client:
    """Whom to ask. Raises NotReachable.

    First what the command line says, then the environment, then the configuration that a server started in this
    directory would have. A pid file leads to the master's own sockets.
    """
    if admin:
        return Client(admin)
    if pid_file:
        return of_process(read_pid(pid_file))
    if os.environ.get(VARIABLE):
        return Client(os.environ[VARIABLE])
    bind, pid_file = configured(config)
    if bind:
        return Client(bind)
    if pid_file:
        return of_process(read_pid(pid_file))
    raise NotReachable(HINT)


def read_pid(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError) as error:
        raise NotReachable(f"the pid file {path!r} cannot be used: {error}") from None


def configured(config: str | None) -> tuple[str | None, str | None]:
    """`admin_bind` and `pidfile` of the configuration in this directory; relative paths are made absolute."""
    from monoceros import config as settings
    from monoceros.errors import ConfigError

    try:
        configuration = settings.load(["-c", config] if config else [], os.environ)
    except ConfigError as error:
        raise NotReachable(f"the configuration in this directory cannot be read: {error}") from None
    bind, pid_file = configuration.admin_bind, configuration.pidfile
    for prefix in ("unix://", "unix:"):
        if bind and bind.startswith(prefix) and not bind.startswith(prefix + "@"):
            bind = "unix:" + os.path.abspath(bind.removeprefix(prefix))
            break
    return bind, os.path.abspath(pid_file) if pid_file else None


def of_process(pid: int) -> Client:
    """A client of a master's own Unix socket, found among those on which it listens (proc(5))."""
    for path in listening_paths(pid):
        client = Client(f"unix:{path}", timeout=2, master=pid)
        try:
            if client.status()["server"]["pid"] == pid:
                client.timeout = Client(client.address).timeout
                return client
        except (NotReachable, KeyError):
            # Its clients' socket, or another program's.
            continue
    raise NotReachable(f"the process {pid} listens on no Unix socket that answers an operator (admin_bind)")


def listening_paths(pid: int) -> list[str]:
    inodes = set()
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise NotReachable(f"the process {pid} cannot be looked at: {error.strerror}") from None
    for name in names:
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[len("socket:[") : -1])
    paths = []
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            # Num RefCount Protocol Flags Type St Inode Path; the flag says that it listens.
            words = line.rstrip("\n").split(None, 7)
            if len(words) == 8 and words[3] == "00010000" and words[6] in inodes and words[7] not in paths:
                paths.append(words[7])
    return paths
