"""One request to a sampling client: its deadline, its retries and its parameters."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from proctor.errors import is_infrastructure_error, one_line
from proctor.foreign import called
from proctor.renderers.prompt import Prompt
from proctor.sampling.budget import RequestFailed, RequestLimits
from proctor.sampling.models import Client
from proctor.sampling.retry_after import retry_after
from proctor.waiting import Overdue, within

if TYPE_CHECKING:
    import tinker

Answer = TypeVar("Answer")

Method: TypeAlias = Callable[..., Awaitable[Any]]  # a client's own, and so is what it answers

REQUEST_RETRIES = 3
"""How often a request that met an infrastructure error is sent again."""


def retry_delay(error: BaseException, attempt: int) -> float:
    """Seconds until the next attempt: what the server asks for, else exponentially more."""
    asked = retry_after(error)
    if asked is not None:
        return asked
    # jitter spreads retries out; it changes no result, so it needs no seed
    return float(0.5 * 2**attempt * random.uniform(0.8, 1.2))  # noqa: S311


def submit(
    client: Client, prompt: tinker.ModelInput, num_samples: int, params: tinker.SamplingParams
) -> Awaitable[tinker.SampleResponse]:
    """Submits a request and returns its awaitable; prefers ``sample`` to ``sample_async``.

    tinker 0.38 deprecates the ``*_async`` forms, and clients written for older ones have only
    those.
    """
    sample = newest_form(client, "sample")
    return sample(prompt=prompt, num_samples=num_samples, sampling_params=params)


def newest_form(client: Client, name: str) -> Method:
    """A client's method, or its ``*_async`` form where it has only that.

    Raises:
        AttributeError: It has neither.
    """
    method: Method = getattr(client, name, None) or getattr(client, f"{name}_async")
    return method


def retries_by_itself(client: Client) -> bool:
    """Whether a client's SDK already retries, so that ours would multiply them."""
    return any(base.__module__.split(".")[0] == "tinker" for base in type(client).__mro__)


async def request(
    client: Client,
    prompt: Prompt,
    num_samples: int,
    params: tinker.SamplingParams,
    limits: RequestLimits,
) -> tuple[tinker.SampleResponse, float]:
    """Asks for samples; else as ``send``.

    Args:
        client: The sampling client.
        prompt: The prompt.
        num_samples: How many answers to ask for.
        params: tinker's sampling parameters.
        limits: What limits it; its slot is the caller's to hold.

    Raises:
        RequestFailed: It gave no answer.
    """
    return await send(
        client, lambda sent: submit(client, sent, num_samples, params), prompt, limits
    )


async def send(
    client: Client,
    submit: Callable[[tinker.ModelInput], Awaitable[Answer]],
    prompt: Prompt,
    limits: RequestLimits,
) -> tuple[Answer, float]:
    """Sends one request, with a deadline that includes the client's own queueing.

    An infrastructure error is tried again with exponential backoff, unless the client's SDK does
    that by itself; a request that timed out is not.

    Args:
        client: The sampling client.
        submit: Submits a prompt to it, and returns the awaitable.
        prompt: The prompt.
        limits: What limits it; its slot is the caller's to hold.

    Returns:
        The client's response and the seconds that its attempt took.

    Raises:
        RequestFailed: It gave no answer.
    """
    attempts = 1 if retries_by_itself(client) else 1 + REQUEST_RETRIES
    for attempt in range(attempts):
        left = limits.seconds_left
        if left <= 0:
            raise RequestFailed("the deadline passed before it was sent")
        started = time.monotonic()
        try:
            submitted = called(functools.partial(submit, prompt.to_model_input()))
            response = await within(submitted, left)
            return response, time.monotonic() - started
        except Overdue:
            raise RequestFailed(f"no answer within {left:.0f} s") from None
        except TimeoutError as error:
            raise RequestFailed(f"the client timed out: {one_line(error)}") from None
        except Exception as error:
            may_help = is_infrastructure_error(error) and not limits.is_stopped
            if attempt + 1 < attempts and may_help:
                await asyncio.sleep(min(retry_delay(error, attempt), limits.seconds_left))
                continue
            tried = f" (tried {attempt + 1} times)" if attempt else ""
            raise RequestFailed(one_line(error) + tried) from error
    raise AssertionError("unreachable")
