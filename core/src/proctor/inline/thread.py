"""A thread with an event loop of its own, which a blocking training loop can't starve."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


class EvaluationThread:
    """Runs coroutines beside the training loop. It does not keep the process alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="proctor-evaluations", daemon=True
        )
        self._thread.start()

    def submit(self, coroutine: Coroutine[object, None, Result]) -> Future[Result]:
        """Starts a coroutine; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def stop(self) -> None:
        """Ends the loop and its thread; what still hangs there is cancelled."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    # those that heed it end; nobody waits for the rest
    if others:
        await asyncio.wait(others, timeout=0.1)
