"""How answers end, for every renderer of tinker-cookbook's: one table for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from proctor import Termination, message_reasoning, message_text
from proctor.renderers import get_renderer
from proctor_cookbook import RENDERERS

QUESTION: list[Any] = [{"role": "user", "content": "Capital of France?"}]
CLEAN, MALFORMED = Termination.STOP_SEQUENCE, Termination.MALFORMED


@dataclass(frozen=True)
class Format:
    """How a family spells an answer.

    Attributes:
        stop: What ends it.
        call: A call of the tool f.
        cut_call: The same, cut off.
        next_turn: A turn of the user's, made up behind an answer's end.
        think: What opens thinking, if the prompt doesn't.
        end_think: What closes it.
        text: What stands before the text.
        ends_with_text: Whether the end of text is one of the ends too.
    """

    stop: str
    call: str = ""
    cut_call: str = ""
    next_turn: str = ""
    think: str = "<think>"
    end_think: str = "</think>"
    text: str = ""
    ends_with_text: bool = False


JSON_CALL = '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'
XML_CALL = "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>"
QWEN_TURN = "<|im_end|>\n<|im_start|>user\nRome?<|im_end|>"
JSON = Format("<|im_end|>", JSON_CALL, '<tool_call>\n{"name": "f", "argu', QWEN_TURN)
XML = Format("<|im_end|>", XML_CALL, "<tool_call>\n<function=f>\n<para", QWEN_TURN)
DEEPSEEK = Format(
    "<｜end▁of▁sentence｜>",
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1}<｜tool▁call▁end｜>'
    "<｜tool▁calls▁end｜>",
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a',
    "<｜end▁of▁sentence｜><｜User｜>Rome?<｜end▁of▁sentence｜>",
)
DSML = Format(
    "<｜end▁of▁sentence｜>",
    '\n\n<｜DSML｜ calls>\n<｜DSML｜ invoke name="f">\n'
    '<｜DSML｜ parameter name="a" string="false">1</｜DSML｜ parameter>\n'
    "</｜DSML｜ invoke>\n</｜DSML｜ calls>",
    '\n\n<｜DSML｜ calls>\n<｜DSML｜ invoke name="f">\n',
    "<｜end▁of▁sentence｜><｜User｜>Rome?<｜end▁of▁sentence｜>",
)
GLM = Format(
    "<|user|>",
    "<tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>",
    "<tool_call>f<arg_key>a</arg",
    "<|user|>Rome?<|user|>",
    ends_with_text=True,
)
KIMI = Format(
    "<|im_end|>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>"
    '{"a": 1}<|tool_call_end|><|tool_calls_section_end|>',
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{",
    "<|im_end|><|im_user|>user<|im_middle|>Rome?<|im_end|>",
)
HARMONY = Format(
    "<|return|>",
    '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1}<|call|>',
    '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a',
    "<|end|><|start|>user<|message|>Rome?<|return|>",
    "<|channel|>analysis<|message|>",
    "<|end|><|start|>assistant",
    "<|channel|>final<|message|>",
)
LLAMA = Format(
    "<|eot_id|>",
    next_turn="<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nRome?<|eot_id|>",
)
FORMATS = {
    "deepseekv3": DEEPSEEK,
    "deepseekv4_1": DSML,
    "glm5_3": GLM,
    "gpt_oss": HARMONY,
    "kimi": KIMI,
    "llama3": LLAMA,
    "nemotron3": XML,
    "qwen3": JSON,
    "qwen3_5": XML,
    "qwen3_8": XML,
}
ELSEWHERE = {"role_colon", "tml_v0"}
"""One has no control tokens, and is held against ours; the other's answers are in test_inkling."""
NAMES = [name for name in RENDERERS if name not in ELSEWHERE]
CALLERS = [name for name in NAMES if name != "llama3"]


class Case:
    """A renderer, the format of its family, and whether its prompt opens thinking."""

    def __init__(self, name: str, tokenizer: Any) -> None:
        family = max((f for f in FORMATS if name.startswith(f)), key=len)
        self.how = FORMATS[family]
        self.renderer = get_renderer(f"cookbook/{name}", tokenizer)
        self.prompt = self.renderer.prompt_tokens(QUESTION)
        self.tokenizer = tokenizer
        self.opens = tokenizer.decode(self.prompt).rstrip().endswith("<think>")
        self.thinks = family == "gpt_oss" or self.opens
        start = "" if self.opens else self.how.think
        self.thinking = f"{start}Is it Rome?"
        self.thought = f"{self.thinking}{self.how.end_think}" if self.thinks else ""
        self.answer = f"{self.thought}{self.how.text}Paris."

    def read(self, text: str) -> tuple[str, Termination, Any]:
        tokens = self.tokenizer.encode(text, add_special_tokens=False)
        message, termination = self.renderer.parse_response(tokens, prompt=self.prompt)
        shown = message_text(message)
        assert "Is it Rome?" not in shown
        assert "think>" not in shown
        assert ("Is it Rome?" in message_reasoning(message)) == ("Is it Rome?" in text)
        return shown.strip(), termination, message


@pytest.fixture(params=NAMES)
def case(request: Any, many_formats_tokenizer: Any) -> Case:
    return Case(request.param, many_formats_tokenizer)


@pytest.fixture(params=CALLERS)
def caller(request: Any, many_formats_tokenizer: Any) -> Case:
    return Case(request.param, many_formats_tokenizer)


def test_a_clean_end(case: Case) -> None:
    assert case.read(case.answer + case.how.stop)[:2] == ("Paris.", CLEAN)


def test_an_end_of_text(case: Case) -> None:
    shown, termination, _ = case.read(case.answer + "<|endoftext|>")
    assert termination is (Termination.EOS if case.how.ends_with_text else MALFORMED)
    assert shown.removesuffix("<|endoftext|>") == "Paris."


def test_cut_in_the_answer(case: Case) -> None:
    assert case.read(case.answer)[:2] == ("Paris.", MALFORMED)


def test_cut_in_thinking(case: Case) -> None:
    assert case.read(case.thinking)[:2] == ("", MALFORMED)


def test_an_end_in_thinking(case: Case) -> None:
    assert case.read(case.thinking + case.how.stop)[:2] == ("", MALFORMED)


def test_empty(case: Case) -> None:
    assert case.read("")[:2] == ("", MALFORMED)


def test_the_stop_signal_twice(case: Case) -> None:
    assert case.read(case.answer + case.how.stop * 2)[:2] == ("Paris.", MALFORMED)


def test_a_turn_of_somebody_else(case: Case) -> None:
    assert case.read(case.answer + case.how.next_turn)[:2] == ("Paris.", MALFORMED)


def test_a_call(caller: Case) -> None:
    stop = "" if caller.how is HARMONY else caller.how.stop
    shown, termination, message = caller.read(caller.thought + caller.how.call + stop)
    assert (shown, termination) == ("", CLEAN)
    (call,) = message["tool_calls"]
    assert (call.function.name, call.function.arguments) == ("f", '{"a": 1}')


def test_cut_in_a_call(caller: Case) -> None:
    shown, termination, message = caller.read(caller.thought + caller.how.cut_call)
    assert termination is MALFORMED
    assert "tool_calls" not in message
    assert not shown or shown in caller.how.cut_call


def test_two_sections_of_calls(caller: Case) -> None:
    answer = caller.thought + caller.how.call + "\n" + caller.how.call + caller.how.stop
    shown, termination, message = caller.read(answer)
    if caller.how is HARMONY:  # a call ends its answer, and nothing follows that
        assert (shown, termination, len(message["tool_calls"])) == ("", MALFORMED, 1)
        return
    assert (shown, termination) == ("", CLEAN)
    assert len(message["tool_calls"]) + len(message.get("unparsed_tool_calls", [])) >= 2
