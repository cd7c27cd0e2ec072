"""Inspect runs one evaluation in a process at a time, and takes over logging and the terminal.

Here evaluations queue, whatever event loops and threads they come from, and what Inspect sets up
for a process that is its own is put back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from inspect_ai import eval_async
from inspect_ai._display.core import active as active_display
from inspect_ai._util.error import set_exception_hook
from inspect_ai._util.logger import init_logger
from inspect_ai.log import EvalLog
from inspect_ai.util import _display as display_state

from proctor import TransientError

RETRY_SECONDS = 0.2
"""Seconds between two looks at whether Inspect is free."""

_one_at_a_time = threading.Lock()


@contextlib.asynccontextmanager
async def exclusive(deadline: float | None = None) -> AsyncIterator[None]:
    """Holds Inspect for one evaluation, among all event loops and threads of this process.

    Args:
        deadline: On ``time.monotonic``'s clock, when to stop waiting.

    Raises:
        TransientError: The deadline came first.
    """
    while not _one_at_a_time.acquire(blocking=False):
        await _wait("another evaluator", deadline)
    try:
        yield
    finally:
        _one_at_a_time.release()


async def _wait(holder: str, deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise TransientError(
            f"Inspect was still busy with {holder} at the run's deadline",
            fix="Inspect runs one evaluation in a process at a time: give the run more time",
        )
    await asyncio.sleep(RETRY_SECONDS)


async def evaluate(deadline: float | None = None, **arguments: Any) -> list[EvalLog]:
    """Calls ``eval_async``; waits while something outside Proctor runs Inspect in this process.

    Args:
        deadline: On ``time.monotonic``'s clock, when to stop waiting.
        **arguments: What ``inspect_ai.eval_async`` takes.

    Raises:
        TransientError: Inspect was busy until the deadline.
    """
    async with exclusive(deadline):
        _set_up_quietly()
        while True:
            try:
                with _without_display():
                    # a task of its own keeps what Inspect puts into context variables there
                    return list(await asyncio.create_task(eval_async(**arguments)))
            except RuntimeError as error:
                if "Multiple concurrent calls to eval_async" not in str(error):
                    raise
            await _wait("an evaluation from outside Proctor", deadline)


def _set_up_quietly() -> None:
    """Has Inspect set up its logging, once, and puts back what that replaces."""
    with _unchanged_process():
        init_logger("warning")
        set_exception_hook()


@contextlib.contextmanager
def _without_display() -> Iterator[None]:
    """Keeps Inspect's display off the terminal, and leaves it to others as it was."""
    before = (display_state._display_type, active_display._active_display)
    display_state.init_display_type("none")
    active_display._active_display = None
    try:
        yield
    finally:
        display_state._display_type, active_display._active_display = before


@contextlib.contextmanager
def _unchanged_process() -> Iterator[None]:
    root, httpx = logging.getLogger(), logging.getLogger("httpx")
    before = (root.level, list(root.handlers), httpx.level, sys.excepthook)
    try:
        yield
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        httpx.setLevel(before[2])
        sys.excepthook = before[3]
