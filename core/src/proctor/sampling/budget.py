"""What limits the requests of an evaluation, and what ends them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from weakref import WeakKeyDictionary

DEFAULT_CONCURRENCY = 64

MOST_CONCURRENCY = 65_536
"""Each slot is a task: more of them would fill the memory before anything is asked."""

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

    def spend(self, tokens: int) -> None:
        """Counts the tokens of a request and of its answers."""
        self.spent += tokens


class StopSignal:
    """Set once, when a person interrupts: nothing more is sent, what is in flight may return."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        """Asks everything that sends requests to stop sending."""
        self.is_set = True


class RequestFailed(Exception):
    """A request gave no answer, after its retries; the message is the reason in one line."""


class Interrupted(RequestFailed):
    """A request was not sent, since a person had interrupted."""

    def __init__(self) -> None:
        super().__init__("it was interrupted before it was sent")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What limits each request, and what ends them all.

    Attributes:
        timeout: Seconds for each attempt, the client's own queueing included.
        budget: Slots for requests, where they are shared with others; None for no limit.
        deadline: Of the whole run, on ``time.monotonic``'s clock.
        stop: Once set, nothing is sent any more.
    """

    timeout: float = DEFAULT_REQUEST_TIMEOUT
    budget: RequestBudget | None = None
    deadline: float | None = None
    stop: StopSignal | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether a person interrupted."""
        return self.stop is not None and self.stop.is_set

    @property
    def seconds_left(self) -> float:
        """Seconds that a request may take which is sent now; none are left after the deadline."""
        if self.deadline is None:
            return self.timeout
        return min(self.timeout, self.deadline - time.monotonic())

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Holds a slot for one request.

        Raises:
            Interrupted: A person interrupted while it waited for the slot.
            RequestFailed: The tokens of the budget are spent.
        """
        async with self.budget.slot() if self.budget else nullcontext():
            if self.is_stopped:
                raise Interrupted
            yield

    def spend(self, tokens: int) -> None:
        """Counts the tokens of a request and of its answers."""
        if self.budget is not None:
            self.budget.spend(tokens)
