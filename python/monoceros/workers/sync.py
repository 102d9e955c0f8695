"""The worker that runs one request at a time, in Python's main thread."""

from monoceros.workers.base import Worker


class SyncWorker(Worker):
    """What `worker_class = "sync"` names."""

    name = "sync"
