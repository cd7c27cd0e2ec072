"""Requests and their tokens, as Inspect counts them and as its logs keep them."""

from __future__ import annotations

from typing import Any

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalSample
from inspect_ai.model import ModelUsage

from proctor import Call

CALL_KEY = "proctor_call"
"""Where an output's metadata has the tokens of its request."""


def token_usage(prompt: int, sampled: int) -> ModelUsage:
    """Inspect's count of tokens."""
    return ModelUsage(input_tokens=prompt, output_tokens=sampled, total_tokens=prompt + sampled)


def call_metadata(call: Call) -> dict[str, Any]:
    """An output's metadata that keeps a request with its tokens."""
    kept = {
        "prompt_tokens": call.prompt_tokens,
        "tokens": call.tokens,
        "stop_reason": call.stop_reason,
        "seconds": call.seconds,
        "logprobs": call.logprobs,
        "usage": call.token_counts if call.images else call.usage,
    }
    return {CALL_KEY: kept}


def calls_of(sample: EvalSample) -> list[Call]:
    """Each request of a sample, with its tokens."""
    calls = []
    for event in sample.events:
        if isinstance(event, ModelEvent) and event.output.metadata:
            kept = event.output.metadata.get(CALL_KEY)
            if kept is not None:
                usage = kept.get("usage")
                calls.append(Call(**{**kept, "usage": tuple(usage) if usage else None}))
    return calls
