"""Which user and group the workers run as."""

import os
import pwd

from monoceros.hints import Any

#: This process, or the worker that it was forked from, has done so: it may have lost the right to do it again.
_is_done = False


def assume(cfg: Any) -> None:
    """Takes on the user and group of the settings, in a worker. Raises OSError when the process may not."""
    global _is_done
    if _is_done:
        return
    user, group = cfg.uid, cfg.gid
    # As in gunicorn, 0 means: no change.
    if group:
        name = name_of(user) if user and cfg.initgroups else None
        if name is not None:
            os.initgroups(name, group)
        if group != os.getgid():
            os.setgid(group)
    if user and user != os.getuid():
        os.setuid(user)
    _is_done = True


def name_of(user: int) -> str | None:
    """The name that the user's groups are listed under; None for a number without one."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return None
