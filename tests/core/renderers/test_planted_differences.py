"""``proctor render --check`` finds what a renderer has otherwise than the model's own template."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from proctor.renderers import Control, Renderer, check_renderer, get_renderer
from proctor.renderers.canonical import CALLING, CANONICAL, DECLARED
from proctor.renderers.families.llama3 import Llama3Renderer
from proctor.renderers.families.qwen3_6 import Qwen36Renderer

Plant = Callable[[str], str]


def replacing(old: str, new: str, times: int = -1) -> Plant:
    """A prompt's text with one thing in it otherwise."""
    return lambda text: text.replace(old, new, times)


def without_system(text: str) -> str:
    start, end = text.find("<|im_start|>system"), text.find("<|im_end|>\n")
    return text[:start] + text[end + len("<|im_end|>\n") :] if start >= 0 else text


ARGUMENTS = {"every type of argument", "every type of argument after text"}
THOUGHT = "France's capital is Paris."
PLANTED: dict[str, tuple[Plant, set[str]]] = {
    "a missing end token": (
        replacing("Paris.<|im_end|>", "Paris."),
        {
            "several turns",
            "several turns and a system message",
            "thinking in the history",
            "thinking beside an earlier call",
        },
    ),
    "Python's True": (replacing("\ntrue\n", "\nTrue\n"), ARGUMENTS),
    "Python's None": (replacing("\nnull\n", "\nNone\n"), ARGUMENTS),
    "a lost newline": (
        replacing("<tool_response>\n", "<tool_response>"),
        set(CALLING),
    ),
    "a doubled newline": (replacing("<|im_end|>\n", "<|im_end|>\n\n", 1), set(CANONICAL)),
    "another role's header": (
        replacing("<|im_start|>user\n<tool_response>", "<|im_start|>tool\n<tool_response>"),
        set(CALLING),
    ),
    "thinking that is not opened": (
        replacing("assistant\n<think>\n", "assistant\n"),
        set(CANONICAL),
    ),
    "no system message": (
        without_system,
        {"a system message", "several turns and a system message", *DECLARED},
    ),
    "no wrapper around declarations": (
        replacing('{"type": "function", "function": {"name": "weather"', '{"name": "weather"'),
        set(DECLARED),
    ),
    "a header of its own for each result": (
        replacing(
            "</tool_response>\n<tool_response>", "</tool_response><|im_end|>\n<tool_response>"
        ),
        {"several calls", "results out of order"},
    ),
    "escapes in place of letters": (
        replacing("東京\n", "\\u6771\\u4eac\n"),
        {"unicode in an argument"},
    ),
    "results in another order": (
        replacing(
            "22 C\n</tool_response>\n<tool_response>\n25 C",
            "25 C\n</tool_response>\n<tool_response>\n22 C",
        ),
        {"several calls"},
    ),
    "thinking that is taken out": (
        replacing(f"<think>\n{THOUGHT}\n", "<think>\n\n"),
        {"thinking beside a call", "thinking in two rounds"},
    ),
    "a list as Python's": (replacing('[1, "b", null, true]', "[1, 'b', None, True]"), ARGUMENTS),
    "a call without its text": (
        replacing("Well.\n\n<tool_call>", "<tool_call>"),
        {"a tool call after text", "every type of argument after text", "results out of order"},
    ),
    "thinking that is kept": (
        replacing("assistant\nParis.", "assistant\n<think>\n\n</think>\n\nParis."),
        {
            "several turns",
            "several turns and a system message",
            "thinking in the history",
            "thinking beside an earlier call",
        },
    ),
}


@pytest.fixture
def tokenizer(tokenizer_of: Any, chat_templates: dict[str, str]) -> Any:
    made = copy.copy(tokenizer_of("qwen3_6"))
    made.chat_template = chat_templates["qwen3_6"]
    return made


def planted(tokenizer: Any, plant: Plant) -> Renderer:
    class Planted(Qwen36Renderer):
        """Qwen3.6's, with one thing otherwise."""

        def layout_tokens(self, conversations: Any, role: str, tools: Any) -> list[list[int]]:
            right = super().layout_tokens(conversations, role, tools)
            return [self.codec.encode_markup(plant(self.codec.decode(tokens))) for tokens in right]

    return Planted(tokenizer)


def test_nothing_is_found_where_nothing_is_planted(tokenizer: Any) -> None:
    assert check_renderer(planted(tokenizer, lambda text: text), tokenizer) == []


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_difference_is_found(what: str, tokenizer: Any) -> None:
    plant, where = PLANTED[what]
    found = check_renderer(planted(tokenizer, plant), tokenizer)
    assert {difference.conversation for difference in found} == where


def test_each_is_one_that_no_other_conversation_hides() -> None:
    assert len(PLANTED) >= 10
    assert all(where <= set(CANONICAL) for _, where in PLANTED.values())


def test_a_second_start_token_is_found(tokenizer_of: Any, chat_templates: dict[str, str]) -> None:
    class Doubled(Llama3Renderer):
        """Llama 3's, with the start token twice."""

        def blocks(self, messages: Any, role: str) -> Any:
            return [[Control("<|begin_of_text|>")], *super().blocks(messages, role)]

    tokenizer = copy.copy(tokenizer_of("llama3"))
    tokenizer.chat_template = chat_templates["llama3"]
    assert check_renderer(get_renderer("llama3", tokenizer), tokenizer) == []
    assert {d.position for d in check_renderer(Doubled(tokenizer), tokenizer)} == {1}


def test_the_command_says_each_in_a_line(tokenizer: Any, tmp_path: Any, command_line: Any) -> None:
    tokenizer.save_pretrained(tmp_path)
    printed = command_line(
        "render", "--model", str(tmp_path), "--renderer", "qwen3_5", "--check", with_backend=False
    )
    assert printed.code == 1
    assert "every type of argument: " in printed.out
    assert "'True'" in printed.out
    assert "'true'" in printed.out
    right = command_line(
        "render", "--model", str(tmp_path), "--renderer", "qwen3_6", "--check", with_backend=False
    )
    assert right.code == 0
