"""What limits the requests of an evaluation, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

DEFAULT_CONCURRENCY = 64

DEFAULT_REQUEST_TIMEOUT = 900.0


class RequestBudget:
    """A cap on requests in flight, shared by all evaluators of an event loop, and on tokens.

    Args:
        cap: Most requests at once.
        tokens: Most tokens, of prompts and answers; None for no limit. Once they are spent
            nothing more is sent, while what is in flight may return.
    """

    def __init__(self, cap: int = DEFAULT_CONCURRENCY, *, tokens: int | None = None) -> None:
        self.cap = cap
        self.tokens = tokens
        self.spent = 0
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._slots = WeakKeyDictionary()

    def with_tokens(self, tokens: int | None) -> RequestBudget:
        """A budget that shares this one's slots and has tokens of its own."""
        budget = RequestBudget(self.cap, tokens=tokens)
        budget._slots = self._slots
        return budget

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Holds one of the slots.

        Raises:
            RequestFailed: The tokens are spent.
        """
        loop = asyncio.get_running_loop()
        async with self._slots.setdefault(loop, asyncio.Semaphore(self.cap)):
            if self.tokens is not None and self.spent >= self.tokens:
                raise RequestFailed(f"the evaluation's budget of {self.tokens} tokens is spent")
            yield

    def spend(self, prompt: Sequence[int], answers: Iterable[Sequence[int]] = ()) -> None:
        """Counts the tokens of a request and of its answers."""
        self.spent += len(prompt) + sum(map(len, answers))


class StopSignal:
    """Set once, when a person interrupts: nothing more is sent, what is in flight may return."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        """Asks everything that sends requests to stop sending."""
        self.is_set = True


class RequestFailed(Exception):
    """A request gave no answer, after its retries; the message is the reason in one line."""
