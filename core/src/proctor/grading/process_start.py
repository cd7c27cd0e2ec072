"""How grading processes start: from a server that has imported what they need, and nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator
from typing import Any

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
# Python's own, whose class depends on the platform: a type checker can't follow
_CONTEXT: Any = multiprocessing.get_context(_METHOD)


class WorkerProcess(_CONTEXT.Process):  # type: ignore[misc]
    """A process that does not run the main script again.

    Python would, to have the script's classes. A training script without a guard around its last
    lines would then train once more in each process.
    """

    def start(self) -> None:
        """Starts the process."""
        with _main_hidden():
            super().start()


class WorkerContext(type(_CONTEXT)):  # type: ignore[misc]
    """What pebble starts its processes with."""

    Process = WorkerProcess


_hiding = threading.Lock()


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Leaves the main script out of what this thread tells new processes."""
    from multiprocessing import spawn

    this_thread = threading.get_ident()
    with _hiding:
        original = spawn.get_preparation_data

        def without_main(name: str) -> dict[str, object]:
            # another thread may be starting a process of its own
            data: dict[str, object] = original(name)
            if threading.get_ident() == this_thread:
                data.pop("init_main_from_name", None)
                data.pop("init_main_from_path", None)
            return data

        spawn.get_preparation_data = without_main
        try:
            yield
        finally:
            spawn.get_preparation_data = original


class WorkerServer:
    """The process that the others are forked from: Python has one, and never stops it by itself."""

    _lock = threading.Lock()
    _users = 0
    _is_ours = False

    @classmethod
    def acquire(cls, modules: list[str]) -> None:
        """Has the server import some modules once for all, unless it runs already."""
        with cls._lock:
            cls._users += 1
            if _METHOD != "forkserver" or cls._users > 1:
                return
            cls._is_ours = _server_pid() is None
            if cls._is_ours:
                _CONTEXT.set_forkserver_preload(modules)

    @classmethod
    def release(cls) -> None:
        """Stops the server with the last pool, where somebody else's did not start it."""
        with cls._lock:
            cls._users -= 1
            if cls._users or not cls._is_ours:
                return
            cls._is_ours = False
            _CONTEXT.set_forkserver_preload(["__main__"])  # Python's own default
            stop = getattr(_server(), "_stop", None)
            if stop is not None:
                stop()


def _server() -> Any:  # Python's own, of no public type
    """Python's own server of processes, which has no public name."""
    from multiprocessing import forkserver

    return getattr(forkserver, "_forkserver", None)


def _server_pid() -> int | None:
    pid: int | None = getattr(_server(), "_forkserver_pid", None)
    return pid
