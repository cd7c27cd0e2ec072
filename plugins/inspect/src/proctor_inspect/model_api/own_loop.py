"""An event loop for models that outlive the loop that asks for them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any


class OwnLoop:
    """An event loop on a thread of its own, on which models are opened."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="proctor-inspect", daemon=True).start()

    def run(self, work: Any) -> Any:
        """Runs a coroutine there, and waits for it here."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def call(self, work: Any) -> Any:
        """Runs a coroutine there, and awaits it on whichever loop asks."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
