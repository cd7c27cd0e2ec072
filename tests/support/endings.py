"""How answers end: one table for every renderer of the core and of tinker-cookbook.

What each ending is to be read as stands here by kind of format, and is asked of no renderer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

CLEAN, EOS, MALFORMED = "stop_sequence", "eos", "malformed"
OPENS, WRITES, NONE = "opened by the prompt", "written by the model", "not expected"
"""Who opens thinking."""

THOUGHT, CITY, ARGUMENTS = "Is it Rome?", "Paris.", '{"a": 1}'


class Format(NamedTuple):
    """How answers of a kind of format are spelled, and what some of their ends mean.

    Attributes:
        stop: What ends an answer.
        next_turn: A turn of the user's that the model makes up, from the answer's own end on; None
            where there are no turns.
        end_of_text: Another token that ends a text; None where it is the stop signal itself.
        end_of_text_is: How an answer ends with that.
        lead: What every answer begins with.
        think: What opens thinking, where the prompt does not.
        end_think: What stands between thinking and what follows it.
        text: What stands before text.
        end_text: What stands between text and the stop signal.
        before_call: The same between text and a call.
        call: A call of the tool f; empty where there are no tools.
        cut_call: The same, cut off.
        call_stop: What ends an answer with a call.
        between: What stands between two calls, or two sections of them.
        two: How many of two sections are read as calls, and how many are kept as unread.
        two_is: How an answer with two sections ends.
        stop_alone: How an answer ends that is nothing but its end, where no thinking is open.
        end_in_call: How an answer ends whose end stands inside a call.
    """

    stop: str
    next_turn: str | None
    end_of_text: str | None
    end_of_text_is: str = MALFORMED
    lead: str = ""
    think: str = "<think>"
    end_think: str = "</think>"
    text: str = ""
    end_text: str = ""
    before_call: str = ""
    call: str = ""
    cut_call: str = ""
    call_stop: str | None = None
    between: str = ""
    two: tuple[int, int] = (2, 0)
    two_is: str = CLEAN
    stop_alone: str = CLEAN
    end_in_call: str = CLEAN


class Ending(NamedTuple):
    """An answer, and what it is to be read as.

    Attributes:
        shown: What it shows.
        spelled: The answer, with its control tokens spelled out.
        termination: How it ended.
        text: What a grader sees.
        reasoning: The thinking.
        calls: How many calls with ``ARGUMENTS`` are read.
        unread: How many are kept as ones that can't be read.
    """

    shown: str
    spelled: str
    termination: str
    text: str = ""
    reasoning: str = ""
    calls: int = 0
    unread: int = 0


_CHATML_TURN = "<|im_end|>\n<|im_start|>user\nRome?<|im_end|>"
JSON = Format(
    stop="<|im_end|>",
    next_turn=_CHATML_TURN,
    end_of_text="<|endoftext|>",
    before_call="\n",
    call='<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>',
    cut_call='<tool_call>\n{"name": "f", "argu',
    between="\n",
)
XML = Format(
    stop="<|im_end|>",
    next_turn=_CHATML_TURN,
    end_of_text="<|endoftext|>",
    before_call="\n\n",
    call="<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>",
    cut_call="<tool_call>\n<function=f>\n<para",
    between="\n",
)
TEMPLATE = JSON._replace(end_of_text_is=EOS)
_DEEPSEEK_TURN = "<｜end▁of▁sentence｜><｜User｜>Rome?<｜end▁of▁sentence｜>"
_DEEPSEEK_CALL = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>"
DEEPSEEK = Format(
    stop="<｜end▁of▁sentence｜>",
    next_turn=_DEEPSEEK_TURN,
    end_of_text=None,
    call=f"{_DEEPSEEK_CALL}{ARGUMENTS}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    cut_call=_DEEPSEEK_CALL + '{"a',
)
_DSML_CALL = '<｜DSML｜ calls>\n<｜DSML｜ invoke name="f">\n'
DSML = Format(
    stop="<｜end▁of▁sentence｜>",
    next_turn=_DEEPSEEK_TURN,
    end_of_text=None,
    before_call="\n\n",
    call=f'{_DSML_CALL}<｜DSML｜ parameter name="a" string="false">1</｜DSML｜ parameter>\n'
    "</｜DSML｜ invoke>\n</｜DSML｜ calls>",
    cut_call=_DSML_CALL,
    between="\n\n",
    two=(1, 1),
)
GLM = Format(
    stop="<|user|>",
    next_turn="<|user|>Rome?<|user|>",
    end_of_text="<|endoftext|>",
    end_of_text_is=EOS,
    call="<tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>",
    cut_call="<tool_call>f<arg_key>a</arg",
)
_KIMI_CALL = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>"
)
KIMI = Format(
    stop="<|im_end|>",
    next_turn="<|im_end|><|im_user|>user<|im_middle|>Rome?<|im_end|>",
    end_of_text="[EOS]",
    call=f"{_KIMI_CALL}{ARGUMENTS}<|tool_call_end|><|tool_calls_section_end|>",
    cut_call=_KIMI_CALL + "{",
)
_HARMONY_CALL = " to=functions.f<|channel|>commentary <|constrain|>json<|message|>"
HARMONY = Format(
    stop="<|return|>",
    next_turn="<|end|><|start|>user<|message|>Rome?<|return|>",
    end_of_text="<|endoftext|>",
    think="<|channel|>analysis<|message|>",
    end_think="<|end|><|start|>assistant",
    text="<|channel|>final<|message|>",
    before_call="<|end|><|start|>assistant",
    call=f"{_HARMONY_CALL}{ARGUMENTS}",
    cut_call=_HARMONY_CALL + '{"a',
    call_stop="<|call|>",
    # a call ends its answer: another one behind it is a second end
    between="<|call|><|start|>assistant",
    two=(1, 0),
    two_is=MALFORMED,
)
LLAMA = Format(
    stop="<|eot_id|>",
    next_turn="<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nRome?<|eot_id|>",
    end_of_text="<|end_of_text|>",
)
COLON = Format(
    stop="\n\nUser:",
    next_turn="\n\nUser: Rome?\n\nUser:",
    end_of_text="<|end_of_text|>",
    end_of_text_is=EOS,
    lead=" ",
)
PLAIN = Format(stop="<|end_of_text|>", next_turn=None, end_of_text=None, lead=" ")
_INKLING_CALL = "[message_model]f[content_invoke_tool_json]"
INKLING = Format(
    stop="[content_model_end_sampling]",
    next_turn="[end_message][message_user][content_text]Rome?[end_message]"
    "[content_model_end_sampling]",
    end_of_text="[endoftext]",
    think="[message_model][content_thinking]",
    end_think="[end_message]",
    text="[message_model][content_text]",
    end_text="[end_message]",
    before_call="[end_message]",
    call=_INKLING_CALL + '{"name":"f","args":{"a":1}}[end_message]',
    cut_call=_INKLING_CALL + '{"name":"f","args":{"a',
    # an end of sampling ends a turn, whose messages end before it
    stop_alone=MALFORMED,
    end_in_call=MALFORMED,
)

KINDS: tuple[tuple[Format, str, str], ...] = (
    (JSON, WRITES, "qwen3 qwen3_vl"),
    (JSON, NONE, "qwen3_disable_thinking qwen3_instruct qwen3_vl_instruct"),
    (XML, OPENS, "qwen3_5 qwen3_5_preserve_thinking qwen3_6"),
    (XML, OPENS, "qwen3_8_low_reasoning qwen3_8_medium_reasoning qwen3_8_xhigh_reasoning"),
    (XML, OPENS, "nemotron3 nemotron3_low_thinking nemotron3_preserve_thinking nemotron3_ultra"),
    (XML, OPENS, "nemotron3_ultra_medium_thinking nemotron3_ultra_preserve_thinking"),
    (XML, NONE, "qwen3_5_disable_thinking qwen3_6_disable_thinking qwen3_8_disable_thinking"),
    (XML, NONE, "nemotron3_disable_thinking nemotron3_ultra_disable_thinking"),
    (TEMPLATE, WRITES, "chat_template"),
    (DEEPSEEK, NONE, "deepseekv3 deepseekv3_disable_thinking"),
    (DEEPSEEK, OPENS, "deepseekv3_thinking"),
    (DSML, OPENS, "deepseekv4_1 deepseekv4_1_low_reasoning deepseekv4_1_max_reasoning"),
    (DSML, OPENS, "deepseekv4_1_preserve_thinking"),
    (DSML, NONE, "deepseekv4_1_disable_thinking"),
    (GLM, OPENS, "glm5_3_high_reasoning glm5_3_low_reasoning glm5_3_max_reasoning"),
    (KIMI, WRITES, "kimi_k2"),
    (KIMI, OPENS, "kimi_k25 kimi_k26 kimi_k26_preserve_thinking"),
    (KIMI, NONE, "kimi_k25_disable_thinking kimi_k26_disable_thinking"),
    (HARMONY, WRITES, "gpt_oss_high_reasoning gpt_oss_low_reasoning gpt_oss_medium_reasoning"),
    (HARMONY, WRITES, "gpt_oss_no_sysprompt"),
    (INKLING, WRITES, "tml_v0"),
    (LLAMA, NONE, "llama3"),
    (COLON, NONE, "role_colon"),
    (PLAIN, NONE, "plain"),
)
"""Every renderer's format, and who opens thinking: ``cookbook/NAME`` reads as NAME does."""

OF = {name: (form, opener) for form, opener, names in KINDS for name in names.split()}


def endings(name: str) -> dict[str, Ending]:
    """How answers of a renderer may end, and what each is read as, by what it shows."""
    form, opener = OF[name]
    rows = [*_texts(form, opener), *(_calls(form, opener) if form.call else ())]
    return {row.shown: row for row in rows}


def _thinking(form: Format, opener: str) -> str:
    return form.lead + ("" if opener == OPENS else form.think) + THOUGHT


def _texts(form: Format, opener: str) -> Iterator[Ending]:
    thinking = _thinking(form, opener)
    thought = thinking + form.end_think
    usual, reasoning = (form.lead, "") if opener == NONE else (thought, THOUGHT)
    answer = f"{usual}{form.text}{CITY}"
    whole = answer + form.end_text
    yield Ending("a clean end", whole + form.stop, CLEAN, CITY, reasoning)
    yield Ending("cut in the answer", answer, MALFORMED, CITY, reasoning)
    yield Ending("cut behind the answer", whole, MALFORMED, CITY, reasoning)
    yield Ending("the stop twice", whole + form.stop * 2, MALFORMED, CITY, reasoning)
    yield Ending("cut in thinking", thinking, MALFORMED, "", THOUGHT)
    yield Ending("an end in thinking", thinking + form.stop, MALFORMED, "", THOUGHT)
    yield Ending("cut behind thinking", thought, MALFORMED, "", THOUGHT)
    both = f"{thought}{form.text}{CITY}{form.end_text}{form.stop}"
    yield Ending("thinking and an answer", both, CLEAN, CITY, THOUGHT)
    yield Ending("empty", "", MALFORMED)
    alone = MALFORMED if opener == OPENS else form.stop_alone
    yield Ending("nothing but the stop", form.stop, alone)
    if form.next_turn is not None:
        turn = answer + form.next_turn
        yield Ending("somebody else's turn", turn, MALFORMED, CITY, reasoning)
    if form.end_of_text is not None:
        text_end = whole + form.end_of_text
        yield Ending("an end of text", text_end, form.end_of_text_is, CITY, reasoning)
        cut = thinking + form.end_of_text
        yield Ending("an end of text in thinking", cut, MALFORMED, "", THOUGHT)
    if opener == WRITES:
        bare = f"{form.text}{CITY}{form.end_text}{form.stop}"
        yield Ending("an answer without thinking", bare, CLEAN, CITY)
    if opener == OPENS:
        yield Ending("an answer in thinking", CITY + form.stop, MALFORMED, "", CITY)
        again = f"{form.think}{thought}{form.text}{CITY}{form.stop}"
        yield Ending("thinking opened again", again, CLEAN, CITY, THOUGHT)


def _calls(form: Format, opener: str) -> Iterator[Ending]:
    thought = _thinking(form, opener) + form.end_think
    stop = form.stop if form.call_stop is None else form.call_stop
    said = f"{thought}{form.text}Well.{form.before_call}"
    yield Ending("a call", thought + form.call + stop, CLEAN, "", THOUGHT, 1)
    yield Ending("a call behind text", said + form.call + stop, CLEAN, "Well.", THOUGHT, 1)
    yield Ending("cut behind a call", thought + form.call, MALFORMED, "", THOUGHT, 1)
    yield Ending("cut in a call", thought + form.cut_call, MALFORMED, "", THOUGHT, 0, 1)
    cut = said + form.cut_call
    yield Ending("cut in a call behind text", cut, MALFORMED, "Well.", THOUGHT, 0, 1)
    ended = thought + form.cut_call + stop
    yield Ending("an end in a call", ended, form.end_in_call, "", THOUGHT, 0, 1)
    two = f"{thought}{form.call}{form.between}{form.call}{stop}"
    yield Ending("two sections of calls", two, form.two_is, "", THOUGHT, *form.two)
    if opener == NONE:
        yield Ending("a call without thinking", form.lead + form.call + stop, CLEAN, "", "", 1)
