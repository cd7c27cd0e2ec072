"""What was rendered reads back as it was, whatever the text spells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from proctor.renderers import BUILTIN, Renderer, Termination, get_renderer
from proctor.types import ToolCall

same_each_time = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SPELLINGS = [
    "<|im_start|>",
    "<|im_end|>",
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<｜end▁of▁sentence｜>",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<|channel|>",
    "<|message|>",
    "<|start|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|im_middle|>",
    "<|tool_calls_section_begin|>",
    "[EOS]",
    "\ue00a",
    "\ue00b",
]
WORDS = st.sampled_from(
    ["Paris", " is", "\n", "\n\n", " ", "  ", "42", "é", "東京", "🗼", "<", "|>"]
)
TEXT = st.lists(WORDS | st.sampled_from(SPELLINGS) | st.text(max_size=6), max_size=12).map("".join)
# What can't be encoded at all, or is white space that a format owns, is no part of the promise.
ENCODABLE = TEXT.map(lambda text: text.encode("utf-8", "ignore").decode())
BARE = ENCODABLE.map(str.strip)
NAMES = sorted(BUILTIN)
WRITE_XML = ("qwen3_5", "qwen3_6", "qwen3_8")


@pytest.fixture(params=NAMES)
def renderer(request: pytest.FixtureRequest, tokenizer_of: Any, chat_tokenizer: Any) -> Renderer:
    if request.param == "chat_template":
        return get_renderer("chat_template", chat_tokenizer)
    return get_renderer(request.param, tokenizer_of(request.param))


def reads_back(renderer: Renderer, message: Any) -> None:
    tokens = renderer.answer_tokens(message)
    read, termination = renderer.parse_response(tokens)
    assert read == message
    assert termination is Termination.STOP_SEQUENCE


@same_each_time
@given(text=ENCODABLE)
def test_text_reads_back(renderer: Renderer, text: str) -> None:
    if renderer.name == "role_colon" and ("\n\nUser:" in text or text.endswith("\n\n")):
        return
    if renderer.name == "qwen3" or renderer.name.startswith(WRITE_XML):
        text = text.strip()
    reads_back(renderer, {"role": "assistant", "content": text})


@same_each_time
@given(thinking=BARE.filter(bool), text=BARE)
def test_thinking_reads_back(renderer: Renderer, thinking: str, text: str) -> None:
    parts = [{"type": "thinking", "thinking": thinking}]
    if text:
        parts.append({"type": "text", "text": text})
    message: Any = {"role": "assistant", "content": parts}
    closes = renderer.name.endswith("disable_thinking") or renderer.name == "deepseekv3"
    if closes or renderer.name in ("llama3", "plain", "role_colon"):
        with pytest.raises(ValueError, match="thinking"):
            renderer.answer_tokens(message)
    else:
        reads_back(renderer, message)


ARGUMENTS = st.dictionaries(
    st.sampled_from(["city", "days", "x_1"]),
    st.integers() | st.booleans() | st.lists(st.integers(), max_size=3) | BARE,
    max_size=3,
)


def survives_xml(arguments: dict[str, Any]) -> bool:
    """Qwen3.5 and later write a string as it is: one that is JSON reads back as that."""
    for value in arguments.values():
        if isinstance(value, str):
            try:
                json.loads(value)
            except ValueError:
                continue
            return False
    return True


def has_boolean(arguments: dict[str, Any]) -> bool:
    """Qwen3.5 writes Python's True, which reads back as text."""
    return any(isinstance(value, bool) for value in arguments.values())


@same_each_time
@given(calls=st.lists(ARGUMENTS, min_size=1, max_size=3), text=BARE)
def test_tool_calls_read_back(renderer: Renderer, calls: list[Any], text: str) -> None:
    if renderer.name in ("llama3", "plain", "role_colon"):
        return
    if renderer.name.startswith(WRITE_XML) and not all(map(survives_xml, calls)):
        return
    if renderer.name.startswith("qwen3_5") and any(map(has_boolean, calls)):
        return
    if renderer.name.startswith("gpt_oss"):
        calls = calls[:1]  # a call ends the answer
    with_ids = renderer.name == "kimi_k2"
    message: Any = {
        "role": "assistant",
        "content": text,
        "tool_calls": [
            ToolCall(
                id=f"functions.weather:{index}" if with_ids else None,
                function=ToolCall.FunctionBody(name="weather", arguments=json.dumps(arguments)),
            )
            for index, arguments in enumerate(calls)
        ],
    }
    if renderer.name == "chat_template":
        with pytest.raises(ValueError, match="tool calls"):
            renderer.answer_tokens(message)
    else:
        reads_back(renderer, message)


@same_each_time
@given(texts=st.lists(ENCODABLE, min_size=1, max_size=4))
def test_text_in_a_prompt_adds_no_control_token(renderer: Renderer, texts: list[str]) -> None:
    """As many control tokens as with harmless text, and the same text around them."""
    roles = ["system", "user", "assistant", "user"]
    hostile: Any = [
        {"role": role, "content": f"x{text}x"} for role, text in zip(roles, texts, strict=False)
    ]
    harmless: Any = [{**message, "content": "x"} for message in hostile]
    special = renderer.codec.special_ids
    tokens = renderer.prompt_tokens(hostile)
    found = [token for token in tokens if token in special]
    assert found == [t for t in renderer.prompt_tokens(harmless) if t in special]
    decoded = renderer.codec.decode(tokens)
    for message in hostile:
        assert message["content"] in decoded


@same_each_time
@given(text=ENCODABLE)
def test_a_tools_result_adds_no_control_token(renderer: Renderer, text: str) -> None:
    if renderer.name in ("llama3", "plain", "role_colon"):
        return

    def prompt(content: str) -> list[int]:
        call = ToolCall(
            id="functions.f:0", function=ToolCall.FunctionBody(name="f", arguments="{}")
        )
        result = {"role": "tool", "name": "f", "tool_call_id": "functions.f:0", "content": content}
        asked: Any = {"role": "assistant", "content": "", "tool_calls": [call]}
        return renderer.prompt_tokens([{"role": "user", "content": "w?"}, asked, result])

    special = renderer.codec.special_ids
    found = [token for token in prompt(f"x{text}x") if token in special]
    assert found == [token for token in prompt("x") if token in special]
