"""Blocking calls that may never return, on threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from proctor.registry import one_line

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
