"""What a model's own chat template is told, and where tinker-cookbook means to differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from proctor.renderers import BUILTIN, CANONICAL, get_renderer

_ARGUMENTS: dict[str, dict[str, object]] = {
    "_disable_thinking": {"enable_thinking": False, "thinking": False},
    "_preserve_thinking": {
        "preserve_thinking": True,
        "truncate_history_thinking": False,
        "drop_thinking": False,
    },
    "_xhigh_reasoning": {"reasoning_effort": "xhigh"},
    "_max_reasoning": {"reasoning_effort": "max"},
    "_high_reasoning": {"reasoning_effort": "high"},
    "_medium_reasoning": {"reasoning_effort": "medium"},
    "_low_reasoning": {"reasoning_effort": "low"},
    "_medium_thinking": {"medium_effort": True},
    "_low_thinking": {"low_effort": True},
}
"""What a mode is called in the templates, by the end of a renderer's name.

Templates call one thing by several names, and look at their own only.
"""

_SYSTEM_MESSAGE = (r"(?s)<\|start\|>system<\|message\|>You are ChatGPT.*?<\|end\|>", "")
"""OpenAI's own system message, in the template's prompt, and nothing in its place."""

_KEPT_THINKING = frozenset({"thinking in the history", "thinking beside an earlier call"})
_CALLS_WITHOUT_TEXT = frozenset(
    shown
    for shown, messages in CANONICAL.items()
    if any("tool_calls" in message and not message["content"] for message in messages)
)
_DIFFERS_ON: dict[str, set[str]] = {
    # a line break before a call, also where there is no text
    "qwen3_vl": {*_CALLS_WITHOUT_TEXT},
    # a result's last line break is taken for the format's own
    "nemotron3": {"a result that ends its line"},
    # the effort's line breaks don't merge with those of the header
    "nemotron3_low_thinking": {"an empty question"},
    "nemotron3_ultra_medium_thinking": {"an empty question"},
}
"""Canonical conversations that tinker-cookbook renders otherwise than the model's template, by how
renderers' names begin."""


@dataclass(frozen=True)
class Told:
    """What the check against a template needs to know of a renderer.

    Attributes:
        arguments: What the template is told.
        differences: Patterns in the template's prompt, and what stands in their place.
        differs_on: Canonical conversations that are not compared.
    """

    arguments: Mapping[str, object]
    differences: tuple[tuple[str, str], ...] = ()
    differs_on: frozenset[str] = frozenset()


def told_of(name: str, tokenizer: Any) -> Told:
    """What the check needs to know of a renderer of tinker-cookbook's.

    Args:
        name: Its name there.
        tokenizer: The model's tokenizer.
    """
    same = name.removesuffix("_disable_thinking") if name.startswith("deepseekv3") else name
    if same in BUILTIN:
        ours = get_renderer(same, tokenizer)
        return Told(ours.template_arguments, ours.template_differences, ours.differs_on)
    if name == "gpt_oss_no_sysprompt":
        usual = told_of("gpt_oss_medium_reasoning", tokenizer)
        return replace(usual, differences=(*usual.differences, _SYSTEM_MESSAGE))
    if name == "qwen3_5_preserve_thinking":
        # Qwen3.5's template knows no such mode, and Qwen3.6's means another by it
        usual = told_of("qwen3_5", tokenizer)
        return replace(usual, differs_on=_KEPT_THINKING)
    differences: tuple[tuple[str, str], ...] = ()
    if name.startswith("qwen3_vl"):
        differences = get_renderer("qwen3", tokenizer).template_differences
    ends = sorted((end for end in _ARGUMENTS if name.endswith(end)), key=len)
    arguments = _ARGUMENTS[ends[-1]] if ends else {}
    if name.startswith("deepseekv4_1"):
        arguments = {"thinking": True, **arguments}
    differs_on = {c for start, cs in _DIFFERS_ON.items() if name.startswith(start) for c in cs}
    return Told(arguments, differences, frozenset(differs_on))
