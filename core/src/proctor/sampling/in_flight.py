"""The requests that are on their way, and which of them the rest is waiting for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

STRAGGLER_SECONDS = 30.0
STRAGGLER_FACTOR = 5.0
"""A request is a straggler after this many seconds and this many times the usual time."""


class RequestsInFlight:
    """Knows how long requests usually take, and which take much longer."""

    def __init__(self) -> None:
        self._since: dict[object, tuple[str, float]] = {}
        self._usual_seconds = 0.0
        self._answered = 0

    @contextmanager
    def sent(self, example: str) -> Iterator[None]:
        """Counts a request about an example as on its way."""
        request = object()
        self._since[request] = (example, time.monotonic())
        try:
            yield
        finally:
            del self._since[request]

    def answered(self, seconds: float) -> None:
        """Learns how long a request took."""
        self._answered += 1
        self._usual_seconds += (seconds - self._usual_seconds) / self._answered

    def late(self) -> dict[str, float]:
        """The examples whose requests are stragglers, and the seconds that they have taken."""
        now = time.monotonic()
        limit = max(STRAGGLER_SECONDS, STRAGGLER_FACTOR * self._usual_seconds)
        return {
            example: now - since for example, since in self._since.values() if now - since > limit
        }

    async def watch(self, report: Callable[[Mapping[str, float]], None]) -> None:
        """Reports the stragglers every second, where there are any, until it is cancelled."""
        while True:
            await asyncio.sleep(1.0)
            late = self.late()
            if late:
                report(late)
