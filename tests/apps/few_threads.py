"""The system has no thread to give for the second runner of the first worker."""

import os
import threading
from pathlib import Path

from threaded import app as app

mark = Path(os.environ["TRACES"], "refused")
start = threading.Thread.start


def refuse(thread):
    if thread.name == "runner-2" and not mark.exists():
        mark.touch()
        raise RuntimeError("can't start new thread")
    start(thread)


threading.Thread.start = refuse
