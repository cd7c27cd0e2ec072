"""The backend ``inspect``: any model that Inspect knows, as a judge."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from proctor import (
    Backend,
    BackendError,
    Call,
    ChatModel,
    Message,
    ModelIdentity,
    OpenedModel,
    Sample,
    SamplingOptions,
    sample_seeds,
)
from proctor_inspect.stop_reasons import CUT_OFF


class InspectBackend(Backend):
    """A model of one of Inspect AI's providers, such as openai/gpt-5.4, as a judge."""

    model: str
    """The model's name in Inspect: PROVIDER/NAME."""
    model_args: dict[str, Any] = Field(default_factory=dict)
    """The provider's own arguments."""
    max_in_flight: int = Field(default=16, ge=1)
    """Most requests at once."""

    async def open_model(self) -> OpenedModel:
        """Refuses: Inspect's providers give text, and no tokens.

        Raises:
            BackendError: Always.
        """
        raise BackendError(
            "a model of Inspect's gives no tokens, without which it can't be evaluated",
            where=f"inspect {self.model}",
            fix="use it as a judge, or evaluate it through another backend",
        )

    async def open_chat_model(
        self, renderer: str | None = None, *, request_timeout: float = 600.0
    ) -> ChatModel:
        """Opens the model as a judge.

        Raises:
            BackendError: Inspect can't make it.
        """
        from inspect_ai.model import get_model

        try:
            model = get_model(self.model, memoize=False, **self.model_args)
        except Exception as error:
            reason = " ".join(str(getattr(error, "message", None) or error).split())
            raise BackendError(
                f"Inspect can't make this model: {reason:.300}",
                where=f"inspect {self.model}",
                fix="write it as PROVIDER/NAME, and install and key what its provider needs",
            ) from error
        return _InspectChatModel(model, self.model, request_timeout, self.max_in_flight)


class _InspectChatModel(ChatModel):
    def __init__(self, model: Any, name: str, timeout: float, max_in_flight: int) -> None:
        self.identity = ModelIdentity("inspect", name, session=name)
        self.max_in_flight = max_in_flight
        self._model = model
        self._timeout = timeout

    async def generate(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        n: int = 1,
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> list[Sample]:
        import asyncio

        seeds = sample_seeds(sampling.seed, n)
        one = (self._sample(messages, sampling, seed, index) for index, seed in enumerate(seeds))
        return list(await asyncio.gather(*one))

    async def _sample(
        self, messages: Sequence[Message], sampling: SamplingOptions, seed: int | None, index: int
    ) -> Sample:
        import asyncio

        from proctor_inspect.messages import from_inspect, to_chat_message
        from proctor_inspect.model_api.generation import generate_config

        top_p = sampling.top_p if sampling.top_p < 1 else None
        config = generate_config(sampling, top_p=top_p, seed=seed)
        asked = [to_chat_message(message) for message in messages]
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                output = await self._model.generate(asked, config=config)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            return Sample("", index, "failed", list(messages), [], error=reason)
        usage = output.usage
        counts = (usage.input_tokens, usage.output_tokens) if usage else (0, 0)
        reason = output.stop_reason if output.choices else "unknown"
        status: Any = "malformed"
        if reason in ("stop", "tool_calls"):
            status = "complete"
        elif reason in CUT_OFF:
            status = "truncated"
        length = "length" if status == "truncated" else "stop"
        call = Call([], [], length, time.monotonic() - started, usage=counts)
        answer = (
            from_inspect(output.message)
            if output.choices
            else Message(role="assistant", content="")
        )
        error_text = None if status == "complete" else f"it ended with {reason!r}"
        return Sample("", index, status, [*messages, answer], [call], error=error_text)
