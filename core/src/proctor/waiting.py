"""Waiting for code that may never come to its end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from proctor.errors import one_line

Result = TypeVar("Result")


async def in_daemon_thread(call: Callable[[], Result], name: str = "proctor-blocking") -> Result:
    """Awaits a blocking call on a thread of its own.

    ``asyncio.to_thread`` takes a thread of a pool, for which both ``asyncio.run`` and the
    interpreter wait at their end: a call that hangs would keep the process alive.

    Args:
        call: What to call.
        name: The thread's.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]
        elif isinstance(error, Exception):
            future.set_exception(error)
        else:
            future.set_exception(RuntimeError(one_line(error)))

    def run() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:  # an exit on this thread would leave the future unsettled
            failure = error
        # the loop may be gone by now, and with it everybody who waited
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True, name=name).start()
    return await future


class Overdue(TimeoutError):
    """Something took longer than it was given; never what it raised by itself."""


class LeftEarly(RuntimeError):
    """Something that was awaited cancelled itself or called ``exit``, which nobody had asked."""


async def within(
    awaitable: Awaitable[Result], seconds: float | None, *, grace: float = 0.0
) -> Result:
    """Awaits something for so long at most, whether or not it heeds its cancellation.

    Args:
        awaitable: Code that is not ours: a client's, a grader's, an evaluator's.
        seconds: How long; None for as long as it takes.
        grace: How long it may take to heed the cancellation of the task that waits.

    Raises:
        Overdue: It took longer. It was told to stop, and is not waited for.
        LeftEarly: It cancelled itself, or called ``exit``. Passed on as they are, the one would
            end the task that waits without a word, the other the process.
    """

    async def awaited() -> Result:
        try:
            return await awaitable
        except SystemExit as error:
            raise LeftEarly(f"it called exit({error.code!r})") from error

    task = asyncio.ensure_future(awaited())
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        if grace:
            await asyncio.wait({task}, timeout=grace)
        raise
    if not done:
        _abandon(task)
        raise Overdue
    if task.cancelled():
        raise LeftEarly("it cancelled itself")
    return task.result()


def _abandon(task: asyncio.Task[object]) -> None:
    """Cancels a task and reads its error, if it ever ends, so that nothing is logged of it."""
    task.add_done_callback(lambda t: t.cancelled() or t.exception())
    task.cancel()
