"""Signals that ask a run to stop: Ctrl-C, and those of schedulers and closed terminals."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import click

if TYPE_CHECKING:
    from proctor.sampling.budget import StopSignal

Handler: TypeAlias = Callable[[int, FrameType | None], object] | int

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Windows has no SIGHUP."""


class Interrupts:
    """Heeds signals while it is entered: the first stops sending, the second ends the run.

    Args:
        stop: Set by the first.
    """

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._first: int | None = None
        self._task: asyncio.Task[object] | None = None
        self._before: dict[int, Handler] = {}

    @property
    def exit_code(self) -> int:
        """128 and the first signal's number, as shells have it."""
        return 128 + (self._first or signal.SIGINT)

    def end(self, task: asyncio.Task[object]) -> None:
        """Says which task the second signal ends; called on its event loop."""
        self._task = task
        self._loop = asyncio.get_running_loop()

    def _heed(self, number: int, _: FrameType | None) -> None:
        if self._first is None:
            self._first = number
            self._stop.set()
            say_to_a_person(
                "\nstopping: what is in flight may still come back; press Ctrl-C again to stop at "
                "once"
            )
        elif self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def __enter__(self) -> Self:
        for number in SIGNALS:
            before = signal.getsignal(number)
            # what nohup has ignored stays so; a script's background ignores Ctrl-C for others' sake
            if before is None or (before is signal.SIG_IGN and number != signal.SIGINT):
                continue
            self._before[number] = before
            signal.signal(number, self._heed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the signals back their meaning."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def say_to_a_person(line: str) -> None:
    """Prints a line to a person, whose terminal may be gone."""
    # a signal may come while another line is being written
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        click.echo(line, err=True)
