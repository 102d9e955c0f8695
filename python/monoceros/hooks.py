"""What stands for a server hook that nobody set: a function that does nothing, with the hook's parameters.

`--print-config` names them as gunicorn does, and code that wraps a hook can call what was there before.
"""

from collections.abc import Callable

from monoceros.hints import Any

#: Every hook, by its name, with the name that gunicorn prints.
_FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "on_starting": ("OnStarting.on_starting", lambda server: None),
    "on_reload": ("OnReload.on_reload", lambda server: None),
    "when_ready": ("WhenReady.when_ready", lambda server: None),
    "pre_fork": ("Prefork.pre_fork", lambda server, worker: None),
    "post_fork": ("Postfork.post_fork", lambda server, worker: None),
    "post_worker_init": ("PostWorkerInit.post_worker_init", lambda worker: None),
    "after_mold": ("AfterMold.after_mold", lambda server, worker: None),
    "worker_int": ("WorkerInt.worker_int", lambda worker: None),
    "worker_abort": ("WorkerAbort.worker_abort", lambda worker: None),
    "pre_exec": ("PreExec.pre_exec", lambda server: None),
    "pre_request": ("PreRequest.pre_request", lambda worker, req: None),
    "post_request": ("PostRequest.post_request", lambda worker, req, environ, resp: None),
    "child_exit": ("ChildExit.child_exit", lambda server, worker: None),
    "worker_exit": ("WorkerExit.worker_exit", lambda server, worker: None),
    "nworkers_changed": ("NumWorkersChanged.nworkers_changed", lambda server, new_value, old_value: None),
    "on_exit": ("OnExit.on_exit", lambda server: None),
    "ssl_context": (
        "NewSSLContext.ssl_context",
        lambda config, default_ssl_context_factory: default_ssl_context_factory(),
    ),
    "on_dirty_starting": ("OnDirtyStarting.on_dirty_starting", lambda arbiter: None),
    "dirty_post_fork": ("DirtyPostFork.dirty_post_fork", lambda arbiter, worker: None),
    "dirty_worker_init": ("DirtyWorkerInit.dirty_worker_init", lambda worker: None),
    "dirty_worker_exit": ("DirtyWorkerExit.dirty_worker_exit", lambda arbiter, worker: None),
}


def _named(name: str, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
    function.__name__, function.__qualname__ = name, label
    return function


DEFAULTS = {name: _named(name, *rest) for name, rest in _FUNCTIONS.items()}


def with_four(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A `post_request` hook that leaves out the environ and the response, as one that takes both."""
    if count == 3:

        def adapted(worker: Any, req: Any, environ: Any, resp: Any) -> Any:
            return function(worker, req, environ)
    elif count == 2:

        def adapted(worker: Any, req: Any, environ: Any, resp: Any) -> Any:
            return function(worker, req)
    else:
        return function
    adapted.__name__ = getattr(function, "__name__", "post_request")
    adapted.__qualname__ = getattr(function, "__qualname__", "post_request")
    return adapted
