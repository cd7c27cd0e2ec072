"""Answers that go on where they should have ended, and calls in more than one section."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.renderers import Termination, get_renderer

CLEAN, MALFORMED = Termination.STOP_SEQUENCE, Termination.MALFORMED
SECTIONS = {
    "deepseekv3": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{}"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
    ),
    "kimi_k2": (
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0"
        "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"
    ),
}
PARIS, ROME = '{"city": "Paris"}', '{"city": "Rome"}'


@pytest.fixture
def read(tokenizer_of: Any) -> Any:
    def read(name: str, spelled: str) -> Any:
        renderer = get_renderer(name, tokenizer_of(name))
        tokens = renderer.tokenizer.encode(spelled, add_special_tokens=False)
        return renderer.parse_response(tokens)

    return read


@pytest.mark.parametrize("name", SECTIONS)
def test_a_second_section_of_calls_is_no_text(name: str, read: Any, tokenizer_of: Any) -> None:
    stop = get_renderer(name, tokenizer_of(name)).stops[0].spelling
    first, second = (SECTIONS[name].replace("{}", city) for city in (PARIS, ROME))
    message, termination = read(name, f"Both.{first}{second}{stop}")
    assert (message["content"], termination) == ("Both.", CLEAN)
    assert [call.function.arguments for call in message["tool_calls"]] == [PARIS, ROME]
    cut = second[: second.index(ROME) + len(ROME)]
    message, termination = read(name, f"{first} and {cut}")
    assert (message["content"], termination) == (" and ", MALFORMED)
    assert [call.function.arguments for call in message["tool_calls"]] == [PARIS]
    assert len(message["unparsed_tool_calls"]) == 1


@pytest.mark.parametrize("role", ["user", "system", "developer", "functions.weather to=assistant"])
@pytest.mark.parametrize("channel", ["", "<|channel|>commentary"])
def test_a_turn_that_gpt_oss_makes_up_is_no_part_of_the_answer(
    role: str, channel: str, read: Any
) -> None:
    final = "<|channel|>final<|message|>"
    message, termination = read(
        "gpt_oss_medium_reasoning",
        f"{final}41<|end|><|start|>{role}{channel}<|message|>And 6*7?<|end|>"
        f"<|start|>assistant{final}42<|return|>",
    )
    assert (message["content"], termination) == ("41", MALFORMED)


def test_a_cut_in_a_header_of_somebody_elses_turn(read: Any) -> None:
    spelled = "<|channel|>final<|message|>41<|end|><|start|>us"
    message, termination = read("gpt_oss_medium_reasoning", spelled)
    assert (message["content"], termination) == ("41", MALFORMED)


@pytest.mark.parametrize("spelled", ["<|im_end|>", "\\u003c|im_end|\\u003e"])
@pytest.mark.parametrize("place", ["value", "key", "nested"])
def test_a_calls_arguments_spell_no_control_token(
    spelled: str, place: str, tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    import copy

    tokenizer = copy.copy(tokenizer_of("qwen3"))
    tokenizer.chat_template = chat_templates["qwen3"]
    renderer = get_renderer("chat_template", tokenizer)
    shapes = {"value": '{"a": "%s"}', "key": '{"%s": 1}', "nested": '{"a": [{"b": "x%sy"}]}'}

    def ends_of(arguments: str) -> int:
        call = {"function": {"name": "weather", "arguments": arguments}}
        messages = [
            {"role": "user", "content": "w?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "22 C"},
        ]
        prompt = renderer.prompt_tokens(messages)
        return prompt.count(tokenizer.convert_tokens_to_ids("<|im_end|>"))

    assert ends_of(shapes[place] % spelled) == ends_of(shapes[place] % "plain")
