"""Chat models: messages in, samples out. What judges use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from proctor.foreign import called
from proctor.sampling.answers import failed_samples
from proctor.sampling.budget import (
    DEFAULT_REQUEST_TIMEOUT,
    Interrupted,
    RequestBudget,
    RequestLimits,
    StopSignal,
)
from proctor.sampling.models import ChatModel, OpenedModel
from proctor.sampling.parameters import sample_seeds
from proctor.sampling.rendered_model import RenderedModel
from proctor.sampling.sampler import Question, Sampler
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
        self._rendered = RenderedModel.choose(model, renderer)
        self._limits = RequestLimits(request_timeout, budget, deadline, stop)

    @property
    def renderer_name(self) -> str:
        """The name of the renderer that writes the prompts."""
        return self._rendered.renderer_name

    async def generate(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        n: int = 1,
        *,
        schema: Mapping[str, object] | None = None,
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
        renderer = self._rendered.renderer
        [prompt] = await asyncio.to_thread(
            called, lambda: renderer.prompts([list(messages)], tools=list(tools) or None)
        )
        question = Question(list(messages), prompt)
        sampler = Sampler(self._rendered, sampling, self._limits)
        if self._rendered.model.seed_covers_samples:
            return await self._ask(sampler, question, n, sampling.seed)
        seeds = sample_seeds(sampling.seed, n)
        if seeds[0] is None:
            return await self._ask(sampler, question, n, None)
        answers = await asyncio.gather(*(self._ask(sampler, question, 1, seed) for seed in seeds))
        return [sample for [sample] in answers]

    async def _ask(
        self, sampler: Sampler, question: Question, count: int, seed: int | None
    ) -> list[Sample]:
        try:
            return await sampler.answers(question, count, seed)
        except Interrupted as failure:
            return failed_samples("", question.messages, range(count), str(failure))
