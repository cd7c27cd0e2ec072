"""Whether a renderer looks right for its tokenizer, and whether answers look as if it were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from proctor.renderers.base import Renderer
from proctor.types import Message, Sample


@dataclass(frozen=True, slots=True)
class RendererWarning:
    """Something about a renderer that does not look right.

    Attributes:
        problem: What it is.
        remedy: What to do.
    """

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


def quick_check(renderer: Renderer, tokenizer: Any) -> list[RendererWarning]:
    """What looks wrong before anything is sampled: the start token, the stop tokens."""
    warnings = []
    tokens = renderer.prompt_tokens([Message(role="user", content="Hello")])
    bos = getattr(tokenizer, "bos_token_id", None)
    adds_bos = bool(getattr(tokenizer, "add_bos_token", False))
    if bos is not None and tokens[:2] == [bos, bos]:
        warnings.append(
            RendererWarning(
                "the prompt begins with two start tokens",
                "take one out of the chat template or of the tokenizer's settings",
            )
        )
    elif adds_bos and bos is not None and (not tokens or tokens[0] != bos):
        warnings.append(
            RendererWarning(
                "the prompt has no start token, and the tokenizer's settings ask for one",
                "use the renderer of the model's family",
            )
        )
    for stop in renderer.get_stop_sequences():
        if isinstance(stop, int) and not tokenizer.decode([stop]):
            warnings.append(
                RendererWarning(
                    f"the tokenizer has no token {stop}, which ends an answer",
                    "use the renderer of the model's family",
                )
            )
    return warnings


def early_warning(samples: Sequence[Sample]) -> str | None:
    """What is likely wrong where the first answers are all malformed, or all cut off."""
    statuses = {sample.status for sample in samples}
    if statuses == {"malformed"}:
        return (
            f"the first {len(samples)} answers are all malformed: the renderer, or its stop "
            "tokens, are likely not this model's"
        )
    if statuses == {"truncated"}:
        return (
            f"the first {len(samples)} answers are all cut off: max_tokens is too low, or the "
            "model never ends an answer in this renderer's format"
        )
    if statuses == {"failed"}:
        return f"the first {len(samples)} requests all failed: {samples[0].error}"
    return None
