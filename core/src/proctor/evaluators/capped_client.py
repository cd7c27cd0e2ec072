"""A sampling client that keeps to a budget, for evaluators that know of none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, TypeAlias

from proctor.errors import TransientError
from proctor.sampling.budget import RequestFailed
from proctor.sampling.models import Client
from proctor.sampling.requests import newest_form
from proctor.waiting import Overdue, within

if TYPE_CHECKING:
    from proctor.evaluators.context import EvaluationContext

Response: TypeAlias = Any  # what a client gives: tinker's answers, log-probabilities, or its own
OnResponse = Callable[[object, object], None]
"""Called with the prompt of each request, and the sampled tokens and log-probabilities of each
answer, or what ``compute_logprobs`` gave."""


class CappedClient:
    """A sampling client that shares an evaluation's budget and heeds its deadlines.

    Every attribute but those that send requests is the client's own.

    Args:
        client: The client.
        context: The evaluation's budget, deadline and request timeout.
        on_response: Told of every answer.
    """

    def __init__(
        self, client: Client, context: EvaluationContext, on_response: OnResponse | None = None
    ) -> None:
        self._client = client
        self._context = context
        self._on_response = on_response
        self._on_the_way: set[asyncio.Future[Response]] = set()

    def __getattr__(self, name: str) -> Any:  # the client's own
        return getattr(self._client, name)

    def sample(self, prompt: object, *arguments: object, **options: object) -> CappedRequest:
        """Submits a request as the client's own ``sample`` does, once there is a slot for it."""
        send = newest_form(self._client, "sample")
        return self._request(prompt, lambda: send(prompt, *arguments, **options))

    async def sample_async(self, prompt: object, *arguments: object, **options: object) -> Response:
        """The older form of ``sample``."""
        return await self.sample(prompt, *arguments, **options)

    def compute_logprobs(
        self, prompt: object, *arguments: object, **options: object
    ) -> CappedRequest:
        """Submits a request as the client's own does, once there is a slot for it."""
        send = newest_form(self._client, "compute_logprobs")
        return self._request(prompt, lambda: send(prompt, *arguments, **options))

    async def compute_logprobs_async(
        self, prompt: object, *arguments: object, **options: object
    ) -> Response:
        """The older form of ``compute_logprobs``."""
        return await self.compute_logprobs(prompt, *arguments, **options)

    def _request(self, prompt: object, send: Callable[[], Awaitable[Response]]) -> CappedRequest:
        request = CappedRequest(lambda: self._answered(prompt, send), send)
        if request.task is not None:
            self._on_the_way.add(request.task)
            request.task.add_done_callback(self._on_the_way.discard)
        return request

    def drop_requests(self) -> None:
        """Cancels what is on its way: it holds slots, and its evaluator has ended."""
        loop = asyncio.get_running_loop()
        for task in [task for task in self._on_the_way if task.get_loop() is loop]:
            task.cancel()

    async def _answered(self, prompt: object, send: Callable[[], Awaitable[Response]]) -> Response:
        limits = self._context.limits
        try:
            async with limits.slot():
                left = limits.seconds_left
                if left <= 0:
                    raise TransientError("the deadline passed before the request was sent")
                response = await within(send(), left)
        except Overdue:
            raise TransientError(f"no answer within {left:.0f} s") from None
        except RequestFailed as failure:
            raise TransientError(str(failure)) from None
        sequences = [
            (list(sequence.tokens), getattr(sequence, "logprobs", None))
            for sequence in getattr(response, "sequences", ())
        ]
        length = int(getattr(prompt, "length", 0))
        limits.spend(length + sum(len(tokens) for tokens, _ in sequences))
        if self._on_response is not None:
            self._on_response(prompt, sequences or response)
        return response


class CappedRequest:
    """A request that waits for its slot: awaitable, and with ``result`` as tinker's futures have.

    It is on its way from the start where a loop runs, as a request of tinker's is. ``result``
    blocks the loop that the slots belong to, so such a request goes out without one.

    Attributes:
        task: What waits for the answer; None where no loop runs.
    """

    def __init__(
        self, answered: Callable[[], Awaitable[Response]], send: Callable[[], Awaitable[Response]]
    ) -> None:
        self._send = send
        self.task: asyncio.Future[Response] | None = None
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self.task = asyncio.ensure_future(answered())
        # an evaluator may drop a request that fails: its own error says why
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())

    def __await__(self) -> Generator[object, None, Response]:
        if self.task is None:
            return self._send().__await__()
        return self.task.__await__()

    async def result_async(self, timeout: float | None = None) -> Response:
        """The answer, as awaiting it gives.

        Raises:
            TimeoutError: It took longer than ``timeout`` seconds.
        """
        return await asyncio.wait_for(self, timeout)

    def result(self, timeout: float | None = None) -> Response:
        """The answer, for code that does not await; it blocks the thread."""
        if self.task is not None:
            if self.task.done():
                return self.task.result()
            self.task.cancel()
        return self._send().result(timeout)  # type: ignore[attr-defined]
