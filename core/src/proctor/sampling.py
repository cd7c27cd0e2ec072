"""One request to a sampling client: its deadline, its retries and its parameters."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from proctor.errors import TransientError
from proctor.registry import one_line
from proctor.types import SamplingOptions

if TYPE_CHECKING:
    import tinker

DEFAULT_CONCURRENCY = 64
DEFAULT_REQUEST_TIMEOUT = 900.0
RETRIES = 3
"""How often a request that met an infrastructure error is sent again."""


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


def submit(
    client: Any, prompt: tinker.ModelInput, num_samples: int, params: tinker.SamplingParams
) -> Any:
    """Submits a request and returns its awaitable; prefers ``sample`` to ``sample_async``.

    tinker 0.38 deprecates the ``*_async`` forms, and clients written for older ones have only
    those.
    """
    sample = newest_form(client, "sample")
    return sample(prompt=prompt, num_samples=num_samples, sampling_params=params)


def newest_form(client: Any, name: str) -> Any:
    """A client's method, or its ``*_async`` form where it has only that.

    Raises:
        AttributeError: It has neither.
    """
    return getattr(client, name, None) or getattr(client, f"{name}_async")


def retries_by_itself(client: Any) -> bool:
    """Whether a client's SDK already retries, so that ours would multiply them."""
    return any(base.__module__.split(".")[0] == "tinker" for base in type(client).__mro__)


def is_infrastructure_error(error: BaseException) -> bool:
    """Whether an error comes from the way to the model, so that trying again may help."""
    if isinstance(error, (TransientError, ConnectionError)):
        return True
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status in (408, 409, 425, 429) or status >= 500
    return type(error).__name__ in (
        "APIConnectionError",
        "ConnectError",
        "ReadError",
        "RemoteProtocolError",
        "ServerDisconnectedError",
    )


class Overdue(TimeoutError):
    """Something took longer than it was given; never what it raised by itself."""


class LeftEarly(RuntimeError):
    """Something that was awaited cancelled itself or called ``exit``, which nobody had asked."""


async def within(awaitable: Any, seconds: float | None) -> Any:
    """Awaits something for so long at most, whether or not it heeds its cancellation.

    Args:
        awaitable: Code that is not ours: a client's, a grader's, an evaluator's.
        seconds: How long; None for as long as it takes.

    Raises:
        Overdue: It took longer. It was told to stop, and is not waited for.
        LeftEarly: It cancelled itself, or called ``exit``. Passed on as they are, the one would
            end the task that waits without a word, the other the process.
    """

    async def awaited() -> Any:
        try:
            return await awaitable
        except SystemExit as error:
            raise LeftEarly(f"it called exit({error.code!r})") from error

    task = asyncio.ensure_future(awaited())
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not done:
        _abandon(task)
        raise Overdue
    if task.cancelled():
        raise LeftEarly("it cancelled itself")
    return task.result()


def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancels a task and reads its error, if it ever ends, so that nothing is logged of it."""
    task.add_done_callback(lambda t: t.cancelled() or t.exception())
    task.cancel()


async def request(
    client: Any,
    prompt_tokens: Sequence[int],
    num_samples: int,
    params: tinker.SamplingParams,
    *,
    timeout: float,
    deadline: float | None = None,
    stop: StopSignal | None = None,
) -> tuple[Any, float]:
    """Asks for samples; else as ``send``.

    Args:
        client: The sampling client.
        prompt_tokens: Token ids.
        num_samples: How many answers to ask for.
        params: tinker's sampling parameters.
        timeout: Seconds for each attempt.
        deadline: Of the whole run, on ``time.monotonic``'s clock.
        stop: Once set, nothing is sent again.

    Raises:
        RequestFailed: It gave no answer.
    """
    return await send(
        client,
        lambda prompt: submit(client, prompt, num_samples, params),
        prompt_tokens,
        timeout=timeout,
        deadline=deadline,
        stop=stop,
    )


async def send(
    client: Any,
    submit: Callable[[tinker.ModelInput], Any],
    prompt_tokens: Sequence[int],
    *,
    timeout: float,
    deadline: float | None = None,
    stop: StopSignal | None = None,
) -> tuple[Any, float]:
    """Sends one request, with a deadline that includes the client's own queueing.

    An infrastructure error is tried again with exponential backoff, unless the client's SDK does
    that by itself; a request that timed out is not.

    Args:
        client: The sampling client.
        submit: Submits a prompt to it, and returns the awaitable.
        prompt_tokens: Token ids.
        timeout: Seconds for each attempt.
        deadline: Of the whole run, on ``time.monotonic``'s clock.
        stop: Once set, nothing is sent again.

    Returns:
        The client's response and the seconds that its attempt took.

    Raises:
        RequestFailed: It gave no answer.
    """
    import tinker

    attempts = 1 if retries_by_itself(client) else 1 + RETRIES
    for attempt in range(attempts):
        left = timeout if deadline is None else min(timeout, deadline - time.monotonic())
        if left <= 0:
            raise RequestFailed("the deadline passed before it was sent")
        started = time.monotonic()
        try:
            prompt = tinker.ModelInput.from_ints(list(prompt_tokens))
            response = await within(submit(prompt), left)
            return response, time.monotonic() - started
        except Overdue:
            raise RequestFailed(f"no answer within {left:.0f} s") from None
        except TimeoutError as error:
            raise RequestFailed(f"the client timed out: {one_line(error)}") from None
        except Exception as error:
            is_stopped = stop is not None and stop.is_set
            if attempt + 1 < attempts and is_infrastructure_error(error) and not is_stopped:
                # jitter spreads retries out; it changes no result, so it needs no seed
                await asyncio.sleep(0.5 * 2**attempt * random.uniform(0.8, 1.2))  # noqa: S311
                continue
            tried = f" (tried {attempt + 1} times)" if attempt else ""
            raise RequestFailed(one_line(error) + tried) from error
    raise AssertionError("unreachable")


def combined_stops(
    renderer_stops: Sequence[str] | Sequence[int], extra: Sequence[str], tokenizer: Any
) -> list[str] | list[int]:
    """The renderer's stop sequences and a task's own, as one list of one type.

    tinker takes strings or token ids, not both: with strings of the task's, the renderer's ids
    become their tokens' text.
    """
    if not extra:
        return list(renderer_stops)  # type: ignore[return-value]
    texts = [s if isinstance(s, str) else str(tokenizer.decode([s])) for s in renderer_stops]
    return [*texts, *extra]


def tinker_params(
    sampling: SamplingOptions, stops: list[str] | list[int], max_tokens: int, seed: int | None
) -> tinker.SamplingParams:
    """Sampling options as tinker's parameters."""
    import tinker

    return tinker.SamplingParams(
        max_tokens=max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        seed=seed,
        stop=stops,
    )
