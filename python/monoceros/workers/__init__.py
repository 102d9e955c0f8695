"""The kinds of workers, by gunicorn's names. They name what the core runs: no Python of theirs serves a request."""

SUPPORTED_WORKERS = {
    "sync": "monoceros.workers.sync.SyncWorker",
    "gthread": "monoceros.workers.gthread.ThreadWorker",
}
