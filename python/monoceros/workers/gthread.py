"""The worker that runs requests in threads."""

from monoceros.workers.base import Worker


class ThreadWorker(Worker):
    """What `worker_class = "gthread"` names."""

    name = "gthread"
