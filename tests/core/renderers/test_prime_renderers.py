"""Qwen's families against Prime Intellect's renderers, which follow the models' templates."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from renderers import configs
from renderers.qwen3 import Qwen3Renderer
from renderers.qwen35 import Qwen35Renderer
from renderers.qwen36 import Qwen36Renderer
from renderers.qwen38 import Qwen38Renderer

from proctor.renderers import get_renderer

TAKEN_OUT = {
    "thinking beside a call is taken out before the result": {
        "call after thinking",
        "call after thinking only",
        "two calls after thinking",
        "thinking at the end of a tool turn",
        "calls with thinking between, going on",
    },
}
QWEN3_DIFFERS = {
    "line breaks at a message's start don't merge with the header's": {"lines before"},
    "what is not ASCII in a call's arguments is escaped": {
        "argument: letters beyond ascii",
        "argument: emoji",
        "argument: escaped letters",
        "argument: a key with a space",
    },
    "each of several results in a row has a header of its own": {
        "two calls",
        "three calls after text",
        "calls of two tools",
        "the same call twice",
        "results out of order",
    },
    **TAKEN_OUT,
}
QWEN3_5_DIFFERS = {
    "empty thinking in the last message is encoded in two pieces": {
        "answer at the end",
        "answer at the end and system",
        "a padded answer at the end",
        "a call at the end",
        "a call after text at the end",
        "answer at the end of a tool turn",
    },
    "white space around thinking in the last message stays": {"padded thinking at the end"},
    **TAKEN_OUT,
}


@dataclass(frozen=True)
class Case:
    """A renderer, Prime Intellect's, and where they mean to differ.

    Attributes:
        name: The renderer's name.
        make: Makes theirs from a tokenizer and its configuration.
        config: Their configuration.
        differs: Conversations that differ, by the reason.
        wraps: Whether tools are declared in OpenAI's wrapper.
        repeats_empty_thinking: Whether theirs writes empty thinking into all answers of the
            history too, against the template, so that what was sampled stays as it was.
    """

    name: str
    make: Callable[..., Any]
    config: configs.BaseRendererConfig
    differs: dict[str, set[str]] = field(default_factory=dict)
    wraps: bool = True
    repeats_empty_thinking: bool = False


CASES = [
    Case("qwen3", Qwen3Renderer, configs.Qwen3RendererConfig(), QWEN3_DIFFERS),
    Case("qwen3_5", Qwen35Renderer, configs.Qwen35RendererConfig(), QWEN3_5_DIFFERS, wraps=False),
    Case("qwen3_6", Qwen36Renderer, configs.Qwen36RendererConfig()),
    Case(
        "qwen3_6_disable_thinking",
        Qwen36Renderer,
        configs.Qwen36RendererConfig(enable_thinking=False),
        repeats_empty_thinking=True,
    ),
    Case(
        "qwen3_8_low_reasoning",
        Qwen38Renderer,
        configs.Qwen38RendererConfig(reasoning_effort="low"),
        wraps=False,
    ),
    Case(
        "qwen3_8_medium_reasoning",
        Qwen38Renderer,
        configs.Qwen38RendererConfig(reasoning_effort="medium"),
        wraps=False,
    ),
    Case(
        "qwen3_8_xhigh_reasoning",
        Qwen38Renderer,
        configs.Qwen38RendererConfig(reasoning_effort="xhigh"),
        wraps=False,
    ),
    Case(
        "qwen3_8_disable_thinking",
        Qwen38Renderer,
        configs.Qwen38RendererConfig(enable_thinking=False),
        wraps=False,
    ),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
def pair(case: Case, tokenizer_of: Any) -> Any:
    """The tokenizer, our renderer and theirs."""
    tokenizer = tokenizer_of(case.name)
    return tokenizer, get_renderer(case.name, tokenizer), case.make(tokenizer, case.config)


def as_openai(message: Any) -> dict[str, Any]:
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    thinking, text = (
        "".join(part[kind] for part in parts if part["type"] == kind)
        for kind in ("thinking", "text")
    )
    converted = {"role": message["role"], "content": text}
    if thinking:
        converted["reasoning_content"] = thinking
    if "tool_calls" in message:
        converted["tool_calls"] = [
            {
                "type": "function",
                "id": call.id,
                "function": {
                    "name": call.function.name,
                    "arguments": json.loads(call.function.arguments),
                },
            }
            for call in message["tool_calls"]
        ]
    return converted


def their_tokens(theirs: Any, messages: Any, tools: Any = None) -> list[int]:
    converted = [as_openai(message) for message in messages]
    tokens: list[int] = theirs.render_ids(converted, tools=tools, add_generation_prompt=True)
    return tokens


def without_empty_thinking_in_the_history(tokenizer: Any, tokens: list[int]) -> list[int]:
    """The tokens without what stands for no thinking before the user's last question."""
    start, empty = "<|im_start|>assistant\n", "<think>\n\n</think>\n\n"
    question, result = "<|im_start|>user\n", "<tool_response>"
    first, *turns = tokenizer.decode(tokens).split(question)
    last = max((i for i, turn in enumerate(turns) if not turn.startswith(result)), default=0)
    history = [turn.replace(start + empty, start) for turn in turns[:last]]
    text = question.join([first, *history, *turns[last:]])
    encoded: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return encoded


def test_prompts_are_theirs_but_for_what_is_meant(
    case: Case, pair: Any, conversations: dict[str, Any], all_conversations: ModuleType
) -> None:
    tokenizer, ours, theirs = pair
    equal, differing = set(), set()
    for shown, messages in conversations.items():
        tokens = ours.prompt_tokens(messages)
        wanted = their_tokens(theirs, messages)
        (equal if tokens == wanted else differing).add(shown)
        if case.repeats_empty_thinking and tokens != wanted:
            assert tokens == without_empty_thinking_in_the_history(tokenizer, wanted), shown
    if case.repeats_empty_thinking:
        assert differing
    else:
        assert differing == set().union(*case.differs.values())
    assert len(equal) >= 60
    assert sum(all_conversations.has_tools(conversations[shown]) for shown in equal) >= 20


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_tools_are_declared_as_theirs(
    system: str | None,
    case: Case,
    pair: Any,
    conversations: dict[str, Any],
    all_conversations: ModuleType,
    tools: list[Any],
) -> None:
    _, ours, theirs = pair
    told = [] if system is None else [all_conversations.system(system)]
    declared = [{"type": "function", "function": t} for t in tools] if case.wraps else tools
    for shown in ("question", "call after text", "argument: several of all types", "unicode"):
        if case.repeats_empty_thinking and shown == "unicode":
            continue
        messages = [*told, *conversations[shown]]
        assert ours.prompt_tokens(messages, tools=tools) == their_tokens(
            theirs, messages, declared
        ), shown


def test_what_stops_ours_stops_theirs(pair: Any) -> None:
    _, ours, theirs = pair
    assert set(ours.get_stop_sequences()) <= set(theirs.get_stop_token_ids())
