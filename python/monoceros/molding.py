"""How a worker that has served becomes the process that others are forked from (`refork_after`)."""

import gc
import logging
import os
import signal
import time
from collections.abc import Sequence

from monoceros import logwriter, threads
from monoceros.sharing import SharesMemory


class BecomesMold(SharesMemory):
    """What the host does in a worker that others are to be forked from."""

    #: Seconds that the threads of a worker have to end before others can be forked from it.
    PATIENCE = 3.0

    def has_foreign_threads(self, native: Sequence[int]) -> bool:
        """Whether threads run here that are not the server's: in a process that is forked from this, they are gone, and
        what they had locked stays locked.

        :param native: the kernel's numbers of the server's that Python has not started.
        """
        names = threads.others([*native, *logwriter.retrying])
        if names and not self._has_named_threads:
            self._has_named_threads = True
            self._name_threads(names)
        return bool(names)

    def _name_threads(self, names: Sequence[str]) -> None:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        self.log(
            logging.WARNING,
            f"Worker (pid:{os.getpid()}) is warm, but no workers can be forked from it: it has "
            f"{len(names)} thread{'s' if len(names) > 1 else ''} that the application has started ({shown}).",
        )

    def become_mold(self) -> bool:
        """Prepares this process, a worker that has served, for having others forked from it.

        Returns False when that cannot be, which has been logged; it leaves then, as any other that was replaced.
        """
        if self._witness is not None:
            self._witness.stop()
            self._witness = None
        logwriter.flush_all()
        logwriter.forbid_threads()
        if not self._is_alone():
            return False
        try:
            self.server.cfg.after_mold(self.server, self.worker)
        except Exception:
            self.logger.exception("Exception in the server hook after_mold: no workers are forked from this one.")
            return False
        if not self._is_alone():
            return False
        # Only now: what the hook does must not end half way.
        self.control = None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGUSR1, signal.SIGWINCH):
            signal.signal(number, signal.SIG_DFL)
        self.worker = None
        self._has_named_threads = False
        # What became garbage since the last time is not to be kept for ever.
        gc.unfreeze()
        gc.collect()
        self.settle(with_application=True)
        return True

    def _is_alone(self) -> bool:
        """Whether this is the only thread, once those of the server have had the time to end."""
        end = time.monotonic() + self.PATIENCE
        while len(os.listdir("/proc/self/task")) > 1:
            if time.monotonic() > end:
                self._name_threads(threads.others())
                return False
            time.sleep(0.002)
        return True
