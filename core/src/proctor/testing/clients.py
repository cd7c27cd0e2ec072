"""A sampling client that does as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proctor.renderers.prompt import Prompt
from proctor.renderers.tokenizers import Tokenizer
from proctor.testing.tokenizer import ByteTokenizer

if TYPE_CHECKING:
    import tinker


@dataclass(frozen=True, slots=True)
class Reply:
    """What a scripted client answers.

    Attributes:
        text: The answer.
        stop_reason: ``stop``, or ``length`` for an answer that was cut off.
        ends: Whether the end-of-text token follows the text.
        seconds: How long the answer takes.
    """

    text: str
    stop_reason: str = "stop"
    ends: bool = True
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hang:
    """A request that is never answered.

    Attributes:
        heeds_cancellation: Whether it ends when it is cancelled; if not, it takes a second
            cancellation, as an event loop's end is, to end it.
    """

    heeds_cancellation: bool = True


Answer = str | Reply | Hang | BaseException
Script = Callable[[str, int], Answer]
"""Called with the prompt's text and the number of the sample; an exception is raised, not
returned to the caller."""


class ScriptedClient:
    """A sampling client with tinker's surface, whose answers a function makes.

    Args:
        script: Makes the answer to each sample of each prompt.
        tokenizer: The tokenizer of prompts and answers.
        queue_seconds: How long each request waits inside the client before it is worked on.
        logprob: The log-probability of each sampled token; None to give none.

    Attributes:
        requests: How many requests were sent.
        prompts: Their prompts, as text, with a label for each image.
        model_inputs: The same as they were sent.
        in_flight: How many are on their way now.
        most_in_flight: How many ever were at once.
    """

    def __init__(
        self,
        script: Script,
        tokenizer: Tokenizer | None = None,
        *,
        queue_seconds: float = 0.0,
        logprob: float | None = None,
    ) -> None:
        self.script = script
        self.tokenizer = tokenizer or ByteTokenizer()
        self.queue_seconds = queue_seconds
        self.logprob = logprob
        self.requests = 0
        self.prompts: list[str] = []
        self.model_inputs: list[tinker.ModelInput] = []
        self.parameters: list[tinker.SamplingParams] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.keeps_prompts = True
        self._ids = itertools.count()

    def get_tokenizer(self) -> Tokenizer:
        """The tokenizer."""
        return self.tokenizer

    def sample(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
        **_: object,
    ) -> Awaitable[tinker.SampleResponse]:
        """Answers as the script says."""
        self.requests += 1
        text = Prompt.of_model_input(prompt).text(lambda ids: str(self.tokenizer.decode(ids)))
        if self.keeps_prompts:
            self.prompts.append(text)
            self.model_inputs.append(prompt)
            self.parameters.append(sampling_params)
        return self._respond(text, num_samples)

    async def sample_async(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
        **_: object,
    ) -> tinker.SampleResponse:
        """Answers as the script says."""
        return await self.sample(prompt, num_samples, sampling_params)

    async def _respond(self, prompt: str, num_samples: int) -> tinker.SampleResponse:
        import tinker

        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.queue_seconds:
                await asyncio.sleep(self.queue_seconds)
            sequences = []
            for index in range(num_samples):
                reply = await self._reply(prompt, index)
                tokens = self.tokenizer.encode(reply.text, add_special_tokens=False)
                if reply.ends:
                    tokens = [*tokens, self.tokenizer.eos_token_id]
                sequences.append(
                    tinker.SampledSequence(
                        stop_reason=reply.stop_reason,  # type: ignore[arg-type]
                        sequence_id=f"scripted-{next(self._ids)}",
                        _tokens_list=list(tokens),
                        _logprobs_list=(
                            None if self.logprob is None else [self.logprob] * len(tokens)
                        ),
                    )
                )
            return tinker.SampleResponse(sequences=sequences)
        finally:
            self.in_flight -= 1

    async def _reply(self, prompt: str, index: int) -> Reply:
        answer = self.script(prompt, index)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Hang):
            await _hang(answer)
        reply = Reply(answer) if isinstance(answer, str) else answer
        assert isinstance(reply, Reply)
        if reply.seconds:
            await asyncio.sleep(reply.seconds)
        return reply

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        """A log-probability of -1 for every token but the first."""
        tokens: Sequence[int] = prompt.to_ints()
        return [None, *([-1.0] * (len(tokens) - 1))]


async def _hang(answer: Hang) -> None:
    if not answer.heeds_cancellation:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()
