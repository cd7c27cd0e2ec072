"""Waiting for code that may never come to its end."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from proctor.foreign import LeftEarly, awaited, left_early

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
    threading.Thread(target=_settle_with, args=(call, loop, future), daemon=True, name=name).start()
    return await future


class OneThread:
    """A thread for calls that belong together, as those of an open database do.

    Like ``in_daemon_thread``, a call that hangs keeps no process alive.

    Args:
        name: The thread's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._is_running = False

    async def call(self, call: Callable[[], Result]) -> Result:
        """Awaits a blocking call, which runs after those before it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._work, daemon=True, name=self._name).start()
        context = contextvars.copy_context()
        self._calls.put(functools.partial(context.run, _settle_with, call, loop, future))
        return await future

    def end(self, last: Callable[[], object]) -> None:
        """Lets the thread end after a last call, without waiting for it."""
        if self._is_running:
            self._calls.put(last)
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle_with(
    call: Callable[[], Result], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Result]
) -> None:
    """Calls, and hands what came of it to the loop that waits for it."""
    result, failure = None, None
    try:
        result = call()
    except BaseException as error:  # an exit on this thread would leave the future unsettled
        failure = error

    def settle() -> None:
        if future.done():
            return
        if failure is None:
            future.set_result(result)  # type: ignore[arg-type]
        elif isinstance(failure, Exception):
            future.set_exception(failure)
        else:
            future.set_exception(left_early(failure))

    # the loop may be gone by now, and with it everybody who waited
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)


class Overdue(TimeoutError):
    """Something took longer than it was given; never what it raised by itself."""


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
        LeftEarly: It cancelled itself, or called ``exit``.
    """
    task = asyncio.ensure_future(awaited(awaitable))
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
