"""What Inspect's generation config asks for, as sampling options, and the other way round."""

from __future__ import annotations

from typing import Any

from inspect_ai.model import GenerateConfig
from inspect_ai.tool import ToolChoice

from proctor import ConfigError, SamplingOptions

DEFAULT_MAX_TOKENS = 1024
"""Most tokens of an answer where neither task nor config says."""

UNSUPPORTED = (
    "best_of",
    "effort",
    "extra_body",
    "fallback_models",
    "frequency_penalty",
    "internal_tools",
    "logit_bias",
    "modalities",
    "presence_penalty",
    "prompt_logprobs",
    "reasoning_effort",
    "reasoning_mode",
    "reasoning_tokens",
    "response_schema",
    "top_logprobs",
    "verbosity",
)
"""What Inspect can ask and a sampling client can't do."""


def generate_config(sampling: SamplingOptions, **others: Any) -> GenerateConfig:
    """Sampling options as Inspect has them: what has no limit is left out.

    Args:
        sampling: The options.
        **others: The rest of the config, ``top_p`` too: not every provider takes 1 for no limit.
    """
    return GenerateConfig(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_k=sampling.top_k if sampling.top_k > 0 else None,
        stop_seqs=list(sampling.stop) or None,
        **others,
    )


def sampling_options(config: GenerateConfig, seed: int | None) -> SamplingOptions:
    """What Inspect asks for, with Inspect's own defaults, and a seed."""
    return SamplingOptions(
        max_tokens=config.max_tokens or DEFAULT_MAX_TOKENS,
        temperature=1.0 if config.temperature is None else config.temperature,
        top_p=1.0 if config.top_p is None else config.top_p,
        top_k=config.top_k if config.top_k is not None else -1,
        seed=seed,
        stop=tuple(config.stop_seqs or ()),
    )


def refuse_unsupported(config: GenerateConfig, tool_choice: ToolChoice) -> None:
    """Looks for what a sampling client can't do.

    Raises:
        ConfigError: Inspect asks for it.
    """
    for name in UNSUPPORTED:
        # earlier versions of Inspect lack some
        if getattr(config, name, None) not in (None, 0, False, [], {}):
            raise ConfigError(
                f"the task asks for {name}, which a sampling client can't do", where="inspect"
            )
    if config.parallel_tool_calls is False:
        raise ConfigError(
            "the task asks for no parallel_tool_calls, and a sampling client can't prevent them",
            where="inspect",
        )
    if tool_choice not in ("auto", "none"):
        raise ConfigError(
            f"the task asks for tool_choice {tool_choice!r}, and a sampling client only has auto",
            where="inspect",
        )


def refuse_choices(config: GenerateConfig) -> None:
    """Looks for several choices of one request, of which Inspect's scorers see the first.

    Raises:
        ConfigError: Inspect asks for them.
    """
    if (config.num_choices or 1) > 1:
        raise ConfigError(
            f"the task asks for num_choices: {config.num_choices}, and only the first is scored",
            where="inspect",
            fix=f"give the evaluator 'epochs: {config.num_choices}'",
        )
