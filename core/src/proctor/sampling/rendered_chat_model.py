"""Chat models: messages in, samples out. What judges use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from proctor.hashing import hash64
from proctor.renderers import choose_renderer, get_renderer
from proctor.sampling.answers import AnswerReader, failed_samples
from proctor.sampling.budget import (
    DEFAULT_REQUEST_TIMEOUT,
    RequestBudget,
    RequestFailed,
    StopSignal,
)
from proctor.sampling.models import ChatModel, OpenedModel
from proctor.sampling.parameters import combined_stops, tinker_params
from proctor.sampling.requests import request
from proctor.types import Message, Sample, SamplingOptions, ToolSpec


class RenderedChatModel(ChatModel):
    """A sampling client with a renderer as a chat model.

    Args:
        model: The opened model.
        renderer: The renderer's name; None to choose by the model.
        request_timeout: Seconds for one request, the client's own queueing included.
        budget: Slots for requests, where they are shared with others.
        deadline: Of the whole run, on ``time.monotonic``'s clock.
        stop: Once set, nothing is sent any more.

    Raises:
        RendererError: No renderer fits the model.
    """

    def __init__(
        self,
        model: OpenedModel,
        renderer: str | None = None,
        *,
        request_timeout: float = DEFAULT_REQUEST_TIMEOUT,
        budget: RequestBudget | None = None,
        deadline: float | None = None,
        stop: StopSignal | None = None,
    ) -> None:
        self.identity = model.identity
        self.max_in_flight = model.max_in_flight
        self.renderer_name, _ = choose_renderer(
            name=renderer,
            model_name=model.identity.base_model,
            checkpoint_renderer_name=model.identity.renderer_name,
            tokenizer=model.tokenizer,
        )
        self._renderer = get_renderer(self.renderer_name, model.tokenizer)
        self._model = model
        self._request_timeout = request_timeout
        self._budget = budget
        self._deadline = deadline
        self._stop = stop

    async def generate(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        n: int = 1,
        *,
        schema: Mapping[str, Any] | None = None,
        tools: Sequence[ToolSpec] = (),
    ) -> list[Sample]:
        """Samples ``n`` answers: in one request where one seed covers them, else in ``n``.

        Args:
            messages: The conversation.
            sampling: How to sample.
            n: How many answers.
            schema: None: no reply is held to a schema.
            tools: Tools that the model may call.

        Raises:
            RendererError: The renderer has no format for a message, or for tools.
        """
        if schema is not None:
            raise NotImplementedError("takes_schema is false")
        prompt = await asyncio.to_thread(
            lambda: list(
                self._renderer.prompt_tokens_batch([list(messages)], tools=list(tools) or None)[0]
            )
        )
        room = self.identity.context_length
        max_tokens = sampling.max_tokens
        if room is not None:
            max_tokens = min(max_tokens, room - len(prompt))
            if max_tokens < 1:
                reason = f"the prompt's {len(prompt)} tokens leave no room in the context of {room}"
                return failed_samples("", list(messages), range(n), reason)
        if n == 1 or sampling.seed is None or self._model.seed_covers_samples:
            return await self._request(messages, prompt, sampling, max_tokens, sampling.seed, n)
        seeds = [hash64(sampling.seed, index) & 0x7FFFFFFF for index in range(n)]
        answers = await asyncio.gather(
            *(self._request(messages, prompt, sampling, max_tokens, seed, 1) for seed in seeds)
        )
        return [sample for [sample] in answers]

    async def _request(
        self,
        messages: Sequence[Message],
        prompt: list[int],
        sampling: SamplingOptions,
        max_tokens: int,
        seed: int | None,
        count: int,
    ) -> list[Sample]:
        tokenizer = self._renderer.tokenizer
        stops = combined_stops(self._renderer.get_stop_sequences(), sampling.stop, tokenizer)
        params = tinker_params(sampling, stops, max_tokens, seed)
        try:
            async with self._budget.slot() if self._budget else nullcontext():
                if self._stop is not None and self._stop.is_set:
                    raise RequestFailed("it was interrupted before it was sent")
                response, seconds = await request(
                    self._model.client,
                    prompt,
                    count,
                    params,
                    timeout=self._request_timeout,
                    deadline=self._deadline,
                    stop=self._stop,
                )
        except RequestFailed as failure:
            return failed_samples("", list(messages), range(count), str(failure))
        reader = AnswerReader(self._renderer, tokenizer, sampling.stop)
        samples = reader.read_response("", list(messages), prompt, response, seconds, count)
        if self._budget is not None:
            self._budget.spend(prompt, (call.tokens for sample in samples for call in sample.calls))
        return samples
