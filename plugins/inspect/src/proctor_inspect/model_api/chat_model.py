"""A chat model of ours as Inspect's model API: what Inspect asks is passed on, or refused."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from proctor import ConfigError, OpenedModel, RenderedChatModel, Sample, as_seed, hash64
from proctor_inspect import stop_reasons
from proctor_inspect.messages import from_inspect, to_inspect, tool_spec
from proctor_inspect.model_api.calls import call_metadata, token_usage
from proctor_inspect.model_api.generation import (
    DEFAULT_MAX_TOKENS,
    refuse_unsupported,
    sampling_options,
)


class SampledModelAPI(ModelAPI):
    """A chat model of ours as Inspect's model API.

    Args:
        model: The opened model.
        renderer_name: The renderer; None to choose by the model.
        config: Inspect's generation config.
        seed: From which requests get a seed of their own, where Inspect gives none.
        keeps_tokens: Whether outputs carry their tokens.
        **options: What ``RenderedChatModel`` takes.
    """

    def __init__(
        self,
        model: OpenedModel,
        renderer_name: str | None,
        config: GenerateConfig | None = None,
        *,
        seed: int | None = None,
        keeps_tokens: bool = False,
        **options: Any,
    ) -> None:
        # the checkpoint is part of the name, by which Inspect's cache tells models apart
        super().__init__(model.identity.key, config=config or GenerateConfig())
        self._chat = RenderedChatModel(model, renderer_name, **options)
        self._tokenizer = model.tokenizer
        self._seed = seed
        self._keeps_tokens = keeps_tokens
        self._asked: Counter[str] = Counter()

    @property
    def renderer_name(self) -> str:
        """The renderer's name."""
        return self._chat.renderer_name

    def max_tokens(self) -> int | None:
        """Most tokens of an answer where nothing says how many."""
        return DEFAULT_MAX_TOKENS

    def max_connections(self) -> int:
        """Most requests at once."""
        return self._chat.max_in_flight or 64

    def connection_key(self) -> str:
        """What shares a cap on connections: this model."""
        return self.model_name

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Samples as Inspect asks.

        Raises:
            ConfigError: Inspect asks for something that a sampling client can't do.
            RendererError: The renderer has no format for it.
            RuntimeError: The request gave no answer.
        """
        refuse_unsupported(config, tool_choice)
        messages = [from_inspect(message) for message in input]
        declared = [] if tool_choice == "none" else [tool_spec(tool) for tool in tools]
        seed = config.seed if config.seed is not None else self._own_seed(messages, config)
        sampling = sampling_options(config, seed)
        started = time.monotonic()
        samples = await self._chat.generate(
            messages, sampling, config.num_choices or 1, tools=declared
        )
        return self._output(samples, config, time.monotonic() - started)

    def _own_seed(self, messages: Sequence[Any], config: GenerateConfig) -> int | None:
        """A seed for each request: equal requests, as those of epochs, get different ones."""
        if self._seed is None:
            return None
        asked = json.dumps([messages, config.temperature], default=str, sort_keys=True)
        digest = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()
        self._asked[digest] += 1
        return as_seed(hash64(self._seed, digest, self._asked[digest]))

    def _output(
        self, samples: Sequence[Sample], config: GenerateConfig, seconds: float
    ) -> ModelOutput:
        failed = [sample for sample in samples if sample.status == "failed"]
        if failed:
            raise RuntimeError(str(failed[0].error))
        counts = [call.token_counts for sample in samples for call in sample.calls]
        prompt, sampled = counts[0][0], sum(tokens for _, tokens in counts)
        malformed = [s.error for s in samples if s.status == "malformed"]
        return ModelOutput(
            model=self.model_name,
            choices=[self._choice(sample, bool(config.logprobs)) for sample in samples],
            usage=token_usage(prompt, sampled),
            time=seconds,
            error=malformed[0] if malformed else None,
            metadata=call_metadata(samples[0].calls[0]) if self._keeps_tokens else None,
        )

    def _choice(self, sample: Sample, wants_logprobs: bool) -> ChatCompletionChoice:
        assert sample.answer is not None
        message = to_inspect(sample.answer, self.model_name)
        whole = "tool_calls" if message.tool_calls else "stop"
        reason: Any = stop_reasons.OF_STATUS.get(sample.status, whole)
        [call] = sample.calls
        logprobs = None
        if wants_logprobs:
            if call.logprobs is None:
                raise ConfigError("the sampling client gives no log-probabilities")
            logprobs = Logprobs(
                content=[
                    Logprob(token=str(self._tokenizer.decode([token])), logprob=value)
                    for token, value in zip(call.tokens, call.logprobs, strict=True)
                ]
            )
        return ChatCompletionChoice(message=message, stop_reason=reason, logprobs=logprobs)
