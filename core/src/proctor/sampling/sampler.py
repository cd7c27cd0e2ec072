"""Asking a model for samples: a rendered question in, the model's answers out."""

from __future__ import annotations

from dataclasses import dataclass

from proctor.renderers.prompt import Prompt
from proctor.sampling.answers import AnswerReader, failed_samples
from proctor.sampling.budget import Interrupted, RequestFailed, RequestLimits
from proctor.sampling.in_flight import RequestsInFlight
from proctor.sampling.parameters import combined_stops, tinker_params
from proctor.sampling.rendered_model import RenderedModel
from proctor.sampling.requests import request
from proctor.types import Message, Sample, SamplingOptions


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked.

    Attributes:
        messages: The conversation.
        prompt: The same as the renderer writes it.
        example_id: The example that it is of, for its samples and for stragglers.
    """

    messages: list[Message]
    prompt: Prompt
    example_id: str = ""


class Sampler:
    """Asks a model, and reads its answers.

    Args:
        rendered: The model and its renderer.
        sampling: How to sample; its seed is given with each question.
        limits: What limits the requests.
        prefill: The start of each answer, which the prompts already hold.
    """

    def __init__(
        self,
        rendered: RenderedModel,
        sampling: SamplingOptions,
        limits: RequestLimits,
        prefill: str = "",
    ) -> None:
        renderer = rendered.renderer
        self.in_flight = RequestsInFlight()
        self._model = rendered.model
        self._sampling = sampling
        self._limits = limits
        self._stops = combined_stops(
            renderer.get_stop_sequences(), sampling.stop, renderer.tokenizer
        )
        start = tuple(renderer.prefill_tokens(prefill)) if prefill else ()
        self._reader = AnswerReader(renderer, renderer.tokenizer, sampling.stop, start)

    async def answers(self, question: Question, count: int, seed: int | None) -> list[Sample]:
        """All answers to a question, from one request; failed ones say why.

        Raises:
            Interrupted: A person interrupted before it was sent.
        """
        prompt = question.prompt
        try:
            params = tinker_params(self._sampling, self._stops, self._max_tokens(prompt), seed)
            async with self._limits.slot():
                with self.in_flight.sent(question.example_id):
                    response, seconds = await request(
                        self._model.client, prompt, count, params, self._limits
                    )
        except Interrupted:
            raise
        except RequestFailed as failure:
            return failed_samples(
                question.example_id, question.messages, range(count), str(failure)
            )
        self.in_flight.answered(seconds)
        samples = self._reader.read_response(
            question.example_id, question.messages, prompt, response, seconds, count
        )
        sampled = sum(len(call.tokens) for sample in samples for call in sample.calls)
        self._limits.spend(prompt.length + sampled)
        return samples

    def _max_tokens(self, prompt: Prompt) -> int:
        """Most tokens of an answer, in the room that the prompt leaves."""
        room = self._model.identity.context_length
        if room is None:
            return self._sampling.max_tokens
        if prompt.length >= room:
            raise RequestFailed(
                f"the prompt's {prompt.length} tokens leave no room in the context of {room}"
            )
        return min(self._sampling.max_tokens, room - prompt.length)
