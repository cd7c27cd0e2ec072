"""Thinking of a model whose chat template knows none: unfinished, it is no answer."""

from __future__ import annotations

from typing import Any

import pytest

from proctor import Termination
from proctor.renderers import get_renderer
from proctor.types import message_reasoning, message_text


@pytest.fixture
def renderer(tokenizer_of: Any, chat_templates: dict[str, str]) -> Any:
    """A renderer by a template without a place for thinking."""
    import copy

    tokenizer = copy.copy(tokenizer_of("llama3"))
    tokenizer.chat_template = chat_templates["llama3_1"]
    assert "<think>" not in tokenizer.chat_template
    return get_renderer("chat_template", tokenizer)


def read(renderer: Any, text: str, *, ends: bool = True) -> Any:
    tokens = renderer.tokenizer.encode(text, add_special_tokens=False)
    stop = renderer.get_stop_sequences()[0]
    return renderer.parse_response([*tokens, *([stop] if ends else [])])


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("start", ["<think>", "\n<think>\n", "<think>\n\n"])
def test_unfinished_thinking_is_no_answer(renderer: Any, start: str, ends: bool) -> None:
    message, termination = read(renderer, f"{start}It may be Paris.", ends=ends)
    assert termination is Termination.MALFORMED
    assert message_text(message) == ""
    assert "It may be Paris." in message_reasoning(message)


@pytest.mark.parametrize(
    "text",
    [
        "It is Paris.",
        "The tag <think> opens thinking.",
        "```\n<think>\n```",
        "<thinker> is no tag.",
    ],
)
def test_other_answers_are_as_they_were(renderer: Any, text: str) -> None:
    message, termination = read(renderer, text)
    assert termination.is_clean
    assert message_text(message) == text


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        ("<think>Hm.</think>It is Paris.", "It is Paris."),
        ("\n<think>\nHm. <think>?\n</think>\n\nIt is Paris.", "It is Paris."),
        ("<think></think>It is </think>.", "It is </think>."),
    ],
)
def test_finished_thinking_is_not_in_the_text(renderer: Any, spelled: str, text: str) -> None:
    message, termination = read(renderer, spelled)
    assert termination.is_clean
    assert message_text(message) == text
    assert ("Hm." in message_reasoning(message)) == ("Hm." in spelled)


def test_thinking_that_a_prefill_began(renderer: Any) -> None:
    stop = renderer.get_stop_sequences()[0]
    tokens = renderer.tokenizer.encode("It may be Paris.", add_special_tokens=False)
    message, termination = renderer.parse_response([*tokens, stop], prefill="<think>")
    assert termination is Termination.MALFORMED
    assert message_text(message) == ""
