"""Inspect's ``ModelAPI`` over a sampling client: what Inspect asks is passed on, or refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalSample
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    GenerateConfig,
    Logprob,
    Logprobs,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from proctor import (
    Call,
    ConfigError,
    EvaluationContext,
    OpenedModel,
    RenderedChatModel,
    Sample,
    SamplingOptions,
    hash64,
    open_model,
)
from proctor_inspect.messages import from_inspect, to_inspect, tool_spec

DEFAULT_MAX_TOKENS = 1024
"""Most tokens of an answer where neither task nor config says."""

UNSUPPORTED = (
    "best_of",
    "extra_body",
    "fallback_models",
    "frequency_penalty",
    "logit_bias",
    "modalities",
    "presence_penalty",
    "prompt_logprobs",
    "reasoning_effort",
    "reasoning_tokens",
    "response_schema",
    "top_logprobs",
)
"""What Inspect can ask and a sampling client can't do."""

CALL_KEY = "proctor_call"
"""Where an output's metadata has the tokens of its request."""


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
        _refuse_unsupported(config, tool_choice)
        messages = [from_inspect(message) for message in input]
        declared = [] if tool_choice == "none" else [tool_spec(tool) for tool in tools]
        sampling = SamplingOptions(
            max_tokens=config.max_tokens or DEFAULT_MAX_TOKENS,
            temperature=1.0 if config.temperature is None else config.temperature,
            top_p=1.0 if config.top_p is None else config.top_p,
            top_k=config.top_k if config.top_k is not None else -1,
            seed=config.seed if config.seed is not None else self._own_seed(messages, config),
            stop=tuple(config.stop_seqs or ()),
        )
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
        return hash64(self._seed, digest, self._asked[digest]) & 0x7FFFFFFF

    def _output(
        self, samples: Sequence[Sample], config: GenerateConfig, seconds: float
    ) -> ModelOutput:
        failed = [sample for sample in samples if sample.status == "failed"]
        if failed:
            raise RuntimeError(str(failed[0].error))
        counts = [call.token_counts for sample in samples for call in sample.calls]
        prompt, sampled = counts[0][0], sum(tokens for _, tokens in counts)
        usage = ModelUsage(
            input_tokens=prompt, output_tokens=sampled, total_tokens=prompt + sampled
        )
        malformed = [s.error for s in samples if s.status == "malformed"]
        call = samples[0].calls[0]
        kept = {
            "prompt_tokens": call.prompt_tokens,
            "tokens": call.tokens,
            "stop_reason": call.stop_reason,
            "seconds": call.seconds,
            "logprobs": call.logprobs,
        }
        return ModelOutput(
            model=self.model_name,
            choices=[self._choice(sample, bool(config.logprobs)) for sample in samples],
            usage=usage,
            time=seconds,
            error=malformed[0] if malformed else None,
            metadata={CALL_KEY: kept} if self._keeps_tokens else None,
        )

    def _choice(self, sample: Sample, wants_logprobs: bool) -> ChatCompletionChoice:
        assert sample.answer is not None
        message = to_inspect(sample.answer, self.model_name)
        reason: Any = "tool_calls" if message.tool_calls else "stop"
        if sample.status == "truncated":
            reason = "max_tokens"
        elif sample.status == "malformed":
            reason = "unknown"
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


def _refuse_unsupported(config: GenerateConfig, tool_choice: ToolChoice) -> None:
    for name in UNSUPPORTED:
        if getattr(config, name) not in (None, 0, False, [], {}):
            raise ConfigError(
                f"the task asks for {name}, which a sampling client can't do", where="inspect"
            )
    if tool_choice not in ("auto", "none"):
        raise ConfigError(
            f"the task asks for tool_choice {tool_choice!r}, and a sampling client only has auto",
            where="inspect",
        )


@modelapi(name="tinker-sampling")
class InspectAPIFromTinkerSampling(SampledModelAPI):
    """Inspect's model API over a tinker sampling client, as Tinker's documentation uses it.

    Args:
        renderer_name: The renderer.
        model_name: The base model, by which its tokenizer is found.
        model_path: A checkpoint to open, where there is no client yet.
        sampling_client: The client.
        verbose: Whether prompts and answers are logged.
        config: Inspect's generation config.

    Raises:
        ConfigError: There is neither a client nor a path, or both.
    """

    def __init__(
        self,
        renderer_name: str,
        model_name: str,
        model_path: str | None = None,
        sampling_client: Any = None,
        base_url: str | None = None,
        config: GenerateConfig | None = None,
        verbose: bool = False,
        **_: Any,
    ) -> None:
        if (model_path is None) == (sampling_client is None):
            raise ConfigError(
                "give a sampling_client or a model_path, and not both",
                where="InspectAPIFromTinkerSampling",
            )
        if sampling_client is None:
            options = {"model_path": model_path, "base_model": model_name, "base_url": base_url}
            given = {key: value for key, value in options.items() if value is not None}
            opened = _OwnLoop().run(open_model("tinker", **given))
        else:
            opened = _opened(sampling_client)
            opened = replace(opened, identity=replace(opened.identity, base_model=model_name))
        super().__init__(opened, renderer_name, config)
        self._verbose = verbose

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Samples as Inspect asks, and logs it where that was wanted."""
        output = await super().generate(input, tools, tool_choice, config)
        if self._verbose:
            import logging

            logging.getLogger(__name__).info("%s -> %s", input[-1].text, output.completion)
        return output


def _opened(client: Any) -> OpenedModel:
    context = EvaluationContext.for_client(client)
    assert context.identity is not None
    return OpenedModel(client, context.identity, context.tokenizer)


class _OwnLoop:
    """An event loop on a thread of its own, for models that outlive the loop that asks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="proctor-inspect", daemon=True).start()

    def run(self, work: Any) -> Any:
        """Runs a coroutine there, and waits for it here."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def call(self, work: Any) -> Any:
        """Runs a coroutine there, and awaits it on whichever loop asks."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


class BackendModelAPI(SampledModelAPI):
    """A backend's model: ``--model proctor/local``, with its options as ``-M NAME=VALUE``.

    Args:
        model_name: The backend's name, as Inspect calls what follows ``proctor/``.
        renderer_name: The renderer; None to choose by the model.
        config: Inspect's generation config.
        **options: The backend's options.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        renderer_name: str | None = None,
        **options: Any,
    ) -> None:
        self._own = _OwnLoop()
        if base_url is not None:
            options["base_url"] = base_url
        opened = self._own.run(open_model(model_name, **options))
        super().__init__(opened, renderer_name, config)

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Samples on the loop that the model was opened on."""
        output: ModelOutput = await self._own.call(
            super().generate(input, tools, tool_choice, config)
        )
        return output


def evaluation_model(
    client: Any, context: EvaluationContext, *, renderer: str | None, sampling: SamplingOptions
) -> Model:
    """Inspect's model for an evaluation of ours, with its limits, budget and seed."""
    if context.identity is None or context.tokenizer is None:
        opened = _opened(client)
    else:
        opened = OpenedModel(
            client,
            context.identity,
            context.tokenizer,
            context.max_in_flight,
            context.seed_covers_samples,
        )
    config = GenerateConfig(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k if sampling.top_k > 0 else None,
        stop_seqs=list(sampling.stop) or None,
        max_connections=context.budget.cap,
    )
    api = _evaluation_api(
        opened,
        renderer or context.renderer,
        config,
        seed=sampling.seed if sampling.seed is not None else context.seed,
        keeps_tokens=True,
        request_timeout=context.request_timeout,
        budget=context.budget,
        deadline=context.deadline,
        stop=context.stop,
    )
    return Model(api=api, config=config)


@modelapi(name="proctor-evaluation")
class _evaluation_api(SampledModelAPI):
    pass


def calls_of(sample: EvalSample) -> list[Call]:
    """Each request of a sample, with its tokens."""
    calls = []
    for event in sample.events:
        if isinstance(event, ModelEvent) and event.output.metadata:
            kept = event.output.metadata.get(CALL_KEY)
            if kept is not None:
                calls.append(Call(**kept))
    return calls
