"""What each family reads in answers beyond the table of all renderers (test_every_ending)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from proctor.renderers import (
    BUILTIN,
    Renderer,
    Termination,
    get_renderer,
    message_reasoning,
    message_text,
)

CLEAN, MALFORMED = Termination.STOP_SEQUENCE, Termination.MALFORMED


@dataclass(frozen=True)
class Spelling:
    """How answers of a family look, with its control tokens spelled out.

    Attributes:
        stop: Its stop signal.
        thinking: What stands before thinking in an answer.
        end_thinking: What stands between thinking and text; None without thinking.
        text: What stands before text where there is no thinking.
        call: A tool call up to its arguments; None without tools.
        end_call: What ends a tool call.
    """

    stop: str
    thinking: str = ""
    end_thinking: str | None = None
    text: str = ""
    call: str | None = None
    end_call: str = ""


QWEN_CALL = '<tool_call>\n{"name": "weather", "arguments": '
QWEN3_5_CALL = "<tool_call>\n<function=weather>\n<parameter=city>\n"
QWEN3_5_END_CALL = "\n</parameter>\n</function>\n</tool_call>"
DEEPSEEK_CALL = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>"
DEEPSEEK_END_CALL = "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
KIMI_CALL = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>"
)
KIMI_END_CALL = "<|tool_call_end|><|tool_calls_section_end|>"
GPT_OSS = Spelling(
    stop="<|return|>",
    thinking="<|channel|>analysis<|message|>",
    end_thinking="<|end|><|start|>assistant<|channel|>final<|message|>",
    text="<|channel|>final<|message|>",
)

XML_THINKERS = (
    "qwen3_5",
    "qwen3_6",
    "qwen3_8_low_reasoning",
    "qwen3_8_medium_reasoning",
    "qwen3_8_xhigh_reasoning",
)
XML_CLOSED = ("qwen3_5_disable_thinking", "qwen3_6_disable_thinking", "qwen3_8_disable_thinking")
QWEN3_5 = Spelling(
    "<|im_end|>",
    "",
    "\n</think>\n\n",
    "\n</think>\n\n",
    QWEN3_5_CALL,
    QWEN3_5_END_CALL,
)
SPELLINGS = {
    "llama3": Spelling("<|eot_id|>"),
    "qwen3": Spelling(
        "<|im_end|>",
        "<think>\n",
        "\n</think>\n\n",
        call=QWEN_CALL,
        end_call="}\n</tool_call>",
    ),
    "qwen3_disable_thinking": Spelling("<|im_end|>", call=QWEN_CALL, end_call="}\n</tool_call>"),
    "qwen3_instruct": Spelling("<|im_end|>", call=QWEN_CALL, end_call="}\n</tool_call>"),
    **dict.fromkeys(XML_THINKERS, QWEN3_5),
    **dict.fromkeys(
        XML_CLOSED,
        Spelling("<|im_end|>", call=QWEN3_5_CALL, end_call=QWEN3_5_END_CALL),
    ),
    "deepseekv3": Spelling("<｜end▁of▁sentence｜>", call=DEEPSEEK_CALL, end_call=DEEPSEEK_END_CALL),
    "deepseekv3_thinking": Spelling(
        "<｜end▁of▁sentence｜>", "", "</think>", "</think>", DEEPSEEK_CALL, DEEPSEEK_END_CALL
    ),
    "gpt_oss_low_reasoning": GPT_OSS,
    "gpt_oss_medium_reasoning": GPT_OSS,
    "gpt_oss_high_reasoning": GPT_OSS,
    "kimi_k2": Spelling(
        "<|im_end|>",
        "<think>",
        "</think>",
        call=KIMI_CALL,
        end_call=KIMI_END_CALL,
    ),
}
WRITE_XML = (*XML_THINKERS, *XML_CLOSED)
THINKERS = [name for name, spelling in SPELLINGS.items() if spelling.end_thinking is not None]
CALLERS = [name for name, spelling in SPELLINGS.items() if spelling.call is not None]
GPT_OSS_CALL = " to=functions.weather<|channel|>commentary <|constrain|>json<|message|>"


@dataclass(frozen=True)
class Reader:
    """Reads spelled-out answers with one renderer."""

    renderer: Renderer
    spelling: Spelling

    def __call__(self, spelled: str) -> Any:
        tokens = self.renderer.tokenizer.encode(spelled, add_special_tokens=False)
        return self.renderer.parse_response(tokens)


@pytest.fixture
def reader_of(tokenizer_of: Any) -> Any:
    def make(name: str) -> Reader:
        return Reader(get_renderer(name, tokenizer_of(name)), SPELLINGS[name])

    return make


def test_every_family_is_in_the_table() -> None:
    assert SPELLINGS.keys() | {"role_colon", "plain", "chat_template"} == BUILTIN.keys()


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_clean_end(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    message, termination = read(read.spelling.text + "Paris." + read.spelling.stop)
    assert (message, termination) == ({"role": "assistant", "content": "Paris."}, CLEAN)


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_stop_signal_twice_is_malformed(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    stop = read.spelling.stop
    for after in ("", "Rome."):
        message, termination = read(f"{read.spelling.text}Paris.{stop}{after}{stop}")
        assert (message["content"], termination) == ("Paris.", MALFORMED)


@pytest.mark.parametrize("name", SPELLINGS)
def test_what_comes_after_the_one_stop_signal_is_ignored(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    message, termination = read(f"{read.spelling.text}Paris.{read.spelling.stop}\nRome.")
    assert (message["content"], termination) == ("Paris.", CLEAN)


@pytest.mark.parametrize("name", SPELLINGS)
def test_nothing_but_an_end_is_an_empty_answer(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    message, termination = read(read.spelling.text + read.spelling.stop)
    assert (message["content"], termination) == ("", CLEAN)


@pytest.mark.parametrize("name", THINKERS)
def test_thinking_is_a_part_of_its_own(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    how = read.spelling
    message, termination = read(f"{how.thinking}Rome or Paris?{how.end_thinking}Paris.{how.stop}")
    assert message["content"] == [
        {"type": "thinking", "thinking": "Rome or Paris?"},
        {"type": "text", "text": "Paris."},
    ]
    assert termination is CLEAN


CALL_ARGUMENTS = dict.fromkeys(CALLERS, '{"city": "Paris"}') | dict.fromkeys(WRITE_XML, "Paris")


@pytest.mark.parametrize("name", CALLERS)
def test_a_tool_call_is_taken_out_of_the_text(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    how = read.spelling
    call = how.call + CALL_ARGUMENTS[name] + how.end_call
    message, termination = read(how.text + call + how.stop)
    assert (message["content"], termination) == ("", CLEAN)
    (found,) = message["tool_calls"]
    assert (found.function.name, found.function.arguments) == ("weather", '{"city": "Paris"}')
    assert "unparsed_tool_calls" not in message


@pytest.mark.parametrize("name", CALLERS)
def test_cut_in_a_tool_call(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    how = read.spelling
    message, termination = read(how.text + how.call + CALL_ARGUMENTS[name][:3])
    assert (message["content"], termination) == ("", MALFORMED)
    assert "tool_calls" not in message
    (unparsed,) = message["unparsed_tool_calls"]
    assert "weather" in unparsed.raw_text
    assert unparsed.error == "the tool call does not end"


@pytest.mark.parametrize("name", CALLERS)
def test_an_end_inside_a_tool_call_keeps_what_there_is_of_it(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    how = read.spelling
    message, termination = read(how.text + how.call + CALL_ARGUMENTS[name][:3] + how.stop)
    assert (message["content"], termination) == ("", CLEAN)
    assert message["unparsed_tool_calls"][0].error == "the tool call does not end"


@pytest.mark.parametrize("name", [n for n in CALLERS if n not in WRITE_XML])
def test_a_tool_call_that_is_no_json_is_kept_with_its_error(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    how = read.spelling
    message, termination = read(how.text + how.call + '{"city": Paris' + how.end_call + how.stop)
    assert (message["content"], termination) == ("", CLEAN)
    (unparsed,) = message["unparsed_tool_calls"]
    assert "no JSON" in unparsed.error
    assert '{"city": Paris' in unparsed.raw_text
    assert "tool_calls" not in message


@pytest.mark.parametrize("name", ["qwen3", "qwen3_5_disable_thinking", "deepseekv3", "kimi_k2"])
def test_an_empty_tool_call_is_kept_with_its_error(name: str, reader_of: Any) -> None:
    read = reader_of(name)
    tags = {"qwen": ("<tool_call>", "</tool_call>"), "deep": ("<｜tool▁calls▁begin｜>",) * 2}
    tags["kimi"] = ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>")
    start, end = tags[name[:4]]
    message, termination = read(f"{start}{end}{read.spelling.stop}")
    assert termination is CLEAN
    assert len(message["unparsed_tool_calls"]) == 1
    assert message["content"] == ""


def test_qwen3_5_takes_no_text_between_parameters(reader_of: Any) -> None:
    call = "<tool_call>\n<function=weather>\nwell\n</function>\n</tool_call>"
    message, _ = reader_of("qwen3_5_disable_thinking")(call + "<|im_end|>")
    assert "no parameter" in message["unparsed_tool_calls"][0].error


def test_qwen3_keeps_the_text_around_several_calls(reader_of: Any) -> None:
    call = '<tool_call>\n{"name": "weather", "arguments": {"n": %d}}\n</tool_call>'
    spelled = "Wait.\n" + call % 1 + "\n" + call % 2 + "\ndone<|im_end|>"
    message, termination = reader_of("qwen3")(spelled)
    assert message["content"] == "Wait.\ndone"
    assert [c.function.arguments for c in message["tool_calls"]] == ['{"n": 1}', '{"n": 2}']
    assert termination is CLEAN


def test_a_tool_call_inside_thinking_is_none(reader_of: Any) -> None:
    for name, call in (("qwen3", QWEN_CALL + "{}}\n</tool_call>"), ("kimi_k2", KIMI_CALL)):
        read = reader_of(name)
        how = read.spelling
        message, _ = read(f"{how.thinking}maybe {call}{how.end_thinking}Paris.{how.stop}")
        assert message_text(message) == "Paris."
        assert "tool_calls" not in message
        assert "unparsed_tool_calls" not in message
        assert "weather" in message_reasoning(message)


def test_thinking_that_only_ends_is_thinking(reader_of: Any) -> None:
    """A checkpoint that was trained behind an open tag does not write that tag."""
    message, termination = reader_of("qwen3")("Paris?\n</think>\n\nRome.<|im_end|>")
    assert (message_reasoning(message), message_text(message)) == ("Paris?", "Rome.")
    assert termination is CLEAN


def test_an_opening_tag_that_the_prompt_held_already_is_skipped(reader_of: Any) -> None:
    message, _ = reader_of("qwen3_5")("<think>\nParis?\n</think>\n\nRome.<|im_end|>")
    assert (message_reasoning(message), message_text(message)) == ("Paris?", "Rome.")


def test_gpt_oss_reads_calls_and_preambles(reader_of: Any) -> None:
    read = reader_of("gpt_oss_medium_reasoning")
    spelled = (
        "<|channel|>analysis<|message|>I need it.<|end|>"
        "<|start|>assistant<|channel|>commentary<|message|>One moment.<|end|>"
        f'<|start|>assistant{GPT_OSS_CALL}{{"city": "Paris"}}<|call|>'
    )
    message, termination = read(spelled)
    assert termination is CLEAN
    assert (message_reasoning(message), message_text(message)) == ("I need it.", "One moment.")
    (call,) = message["tool_calls"]
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Paris"}')


@pytest.mark.parametrize(
    ("arguments", "end", "error", "termination"),
    [
        ('{"city"', "", "no JSON", MALFORMED),
        ("", "", "does not end", MALFORMED),
        ('{"city"', "<|call|>", "no JSON", CLEAN),
        ("", "<|call|>", "does not end", CLEAN),
    ],
)
def test_gpt_oss_keeps_a_broken_call(
    arguments: str, end: str, error: str, termination: Termination, reader_of: Any
) -> None:
    message, found = reader_of("gpt_oss_medium_reasoning")(GPT_OSS_CALL + arguments + end)
    assert error in message["unparsed_tool_calls"][0].error
    assert (message["content"], found) == ("", termination)
    assert "tool_calls" not in message


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        ("<|channel|>final", ""),
        ("<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>fin", ""),
        ("Paris.", "Paris."),
    ],
)
def test_gpt_oss_cut_in_a_header_or_without_one(spelled: str, text: str, reader_of: Any) -> None:
    message, termination = reader_of("gpt_oss_medium_reasoning")(spelled)
    assert (message_text(message), termination) == (text, MALFORMED)


def test_gpt_oss_without_a_channel_is_malformed_though_it_ends(reader_of: Any) -> None:
    message, termination = reader_of("gpt_oss_medium_reasoning")("Paris.<|return|>")
    assert (message["content"], termination) == ("Paris.", MALFORMED)


def test_after_a_tools_result_deepseek_answers_without_thinking(tokenizer_of: Any) -> None:
    """The prompt opens no thinking there, and the prompt is how the renderer knows."""
    renderer = get_renderer("deepseekv3_thinking", tokenizer_of("deepseekv3_thinking"))
    question = {"role": "user", "content": "w?"}
    result = {"role": "tool", "content": "22 C"}
    answer = renderer.tokenizer.encode("It is 22.<｜end▁of▁sentence｜>", add_special_tokens=False)
    after_tool = renderer.prompt_tokens([question, result])
    assert renderer.parse_response(answer, prompt=after_tool) == (
        {"role": "assistant", "content": "It is 22."},
        CLEAN,
    )
    message, termination = renderer.parse_response(
        answer, prompt=renderer.prompt_tokens([question])
    )
    assert (message_text(message), termination) == ("", MALFORMED)
