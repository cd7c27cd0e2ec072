"""What Qwen3.6 and 3.8 have otherwise than Qwen3.5: arguments, kept thinking, the effort."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proctor.renderers import get_renderer
from proctor.types import ToolCall

ARGUMENTS = {
    "text": "true",
    "number": 1.5,
    "yes": True,
    "no": False,
    "none": None,
    "list": [1, True, None],
    "object": {"deep": {"é": []}},
    "empty": "",
}
ASK: Any = {"role": "user", "content": "w?"}


def calling(content: Any) -> Any:
    body = ToolCall.FunctionBody(name="f", arguments=json.dumps(ARGUMENTS))
    return {"role": "assistant", "content": content, "tool_calls": [ToolCall(function=body)]}


def thought(thinking: str, text: str) -> Any:
    return [{"type": "thinking", "thinking": thinking}, {"type": "text", "text": text}]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("qwen3_5", ["True", "False", "None", "[1, true, null]", '{"deep": {"\\u00e9": []}}']),
        ("qwen3_6", ["true", "false", "null", "[1, true, null]", '{"deep": {"é": []}}']),
        (
            "qwen3_8_low_reasoning",
            ["true", "false", "null", "[1, true, null]", '{"deep": {"\\u00e9": []}}'],
        ),
    ],
)
def test_arguments_are_written_as_the_family_learnt_them(
    name: str, written: list[str], tokenizer_of: Any
) -> None:
    tokenizer = tokenizer_of(name)
    result: Any = {"role": "tool", "content": "9"}
    shown = tokenizer.decode(
        get_renderer(name, tokenizer).prompt_tokens([ASK, calling(""), result])
    )
    values = dict(zip(("yes", "no", "none", "list", "object"), written, strict=True))
    for key, value in {**values, "text": "true", "number": "1.5", "empty": ""}.items():
        assert f"<parameter={key}>\n{value}\n</parameter>" in shown


@pytest.mark.parametrize("name", ["qwen3_6", "qwen3_8_medium_reasoning"])
def test_an_answer_is_what_the_next_prompt_has_of_it(name: str, tokenizer_of: Any) -> None:
    """White space around thinking too: what was sampled is the history of the next call."""
    tokenizer = tokenizer_of(name)
    renderer = get_renderer(name, tokenizer)
    answer = calling(thought(" \nwhy\n\n", " Let me see. "))
    prompt = renderer.prompt_tokens([ASK])
    answered = prompt + renderer.answer_tokens(answer, prompt=prompt)
    result: Any = {"role": "tool", "content": "9"}
    following = renderer.prompt_tokens([ASK, answer, result])
    assert following[: len(answered)] == answered
    assert "<think>\nwhy\n</think>\n\nLet me see.\n\n<tool_call>" in tokenizer.decode(following)


def test_thinking_stays_after_the_last_question_only(tokenizer_of: Any) -> None:
    renderer = get_renderer("qwen3_6", tokenizer_of("qwen3_6"))
    answers: Any = [
        {"role": "assistant", "content": thought("one", "1")},
        {"role": "assistant", "content": thought("two", "2")},
    ]
    shown = renderer.codec.decode(renderer.prompt_tokens([ASK, *answers]))
    assert "one" in shown
    assert "two" in shown
    shown = renderer.codec.decode(renderer.prompt_tokens([ASK, *answers, ASK]))
    assert "one" not in shown
    assert "two" not in shown


def test_every_turn_of_qwen3_8_keeps_its_thinking(tokenizer_of: Any) -> None:
    renderer = get_renderer("qwen3_8_medium_reasoning", tokenizer_of("qwen3_8_medium_reasoning"))
    answered: Any = {"role": "assistant", "content": thought("one", "1")}
    short: Any = {"role": "assistant", "content": "2"}
    shown = renderer.codec.decode(renderer.prompt_tokens([ASK, answered, ASK, short, ASK]))
    assert "<think>\none\n</think>\n\n1" in shown
    assert "<think>\n\n</think>\n\n2" in shown


@pytest.mark.parametrize("system", [None, "", " \n", " Be brief. "])
@pytest.mark.parametrize(
    ("effort", "begins"),
    [("xhigh", "Reasoning effort is set to xhigh. "), ("low", "Reasoning effort is set to low. ")],
)
def test_the_effort_stands_before_the_system_message(
    effort: str, begins: str, system: str | None, tokenizer_of: Any, tools: list[Any]
) -> None:
    name = f"qwen3_8_{effort}_reasoning"
    renderer = get_renderer(name, tokenizer_of(name))
    messages = [ASK] if system is None else [{"role": "system", "content": system}, ASK]
    for declared in (None, tools):
        shown = renderer.codec.decode(renderer.prompt_tokens(messages, tools=declared))
        assert shown.startswith(f"<|im_start|>system\n{begins}")
        assert shown.count("<|im_start|>system") == 1
        assert shown.count("Be brief.") == (1 if system and system.strip() else 0)
        assert shown.count("# Tools") == (1 if declared else 0)


@pytest.mark.parametrize("name", ["qwen3_8_medium_reasoning", "qwen3_8_disable_thinking"])
def test_an_empty_system_message_renders_nothing_without_an_effort(
    name: str, tokenizer_of: Any
) -> None:
    renderer = get_renderer(name, tokenizer_of(name))
    empty: Any = {"role": "system", "content": " \n"}
    assert renderer.prompt_tokens([empty, ASK]) == renderer.prompt_tokens([ASK])
