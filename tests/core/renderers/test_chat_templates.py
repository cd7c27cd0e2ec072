"""Prompts, token by token, against the chat templates that the models came with.

Where one differs, tinker-cookbook's renderer of the same name does too, and docs/renderers.md says
how. Each difference is listed here, so that none comes or goes unseen.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from jinja2 import TemplateError

from proctor.errors import RendererError
from proctor.renderers import get_renderer

PADDED = {
    "white space around messages stays": (
        "lines before",
        "space around",
        "lines behind",
        "tabs before",
        "a padded answer at the end",
    ),
}
LINES_BEFORE = {
    "a line break at a message's start doesn't merge with its header's": ("lines before",),
}
RESULTS_IN_A_ROW = {
    "each of several results in a row has a header of its own": (
        "two calls",
        "three calls after text",
        "calls of two tools",
        "the same call twice",
        "results out of order",
        "two calls after thinking",
    ),
}
ESCAPED = {
    "what is not ASCII in a call's arguments is escaped": (
        "argument: letters beyond ascii",
        "argument: emoji",
        "argument: escaped letters",
        "argument: a key with a space",
    ),
}
THINKING_BESIDE_A_CALL = {
    "thinking beside a call is taken out before the result": (
        "call after thinking",
        "call after thinking only",
        "two calls after thinking",
        "thinking at the end of a tool turn",
        "calls with thinking between, going on",
    ),
}
PADDED_THINKING = {
    "white space around thinking in the last message stays": ("padded thinking at the end",),
}
AT_THE_END = (
    "answer at the end",
    "answer at the end and system",
    "a padded answer at the end",
    "answer at the end of a tool turn",
)
CALLS_AT_THE_END = ("a call at the end", "a call after text at the end")
LAST_THINKING = (
    "thinking at the end",
    "only thinking at the end",
    "thinking before and at the end",
    "padded thinking at the end",
)


@dataclass(frozen=True)
class Case:
    """A renderer, a template, and where they mean to differ.

    Attributes:
        renderer: The renderer's name.
        template: The template's file name.
        arguments: The template's own arguments.
        differs: Conversations whose prompts differ, by the reason.
        calls: Why every conversation with calls differs, or is refused where it has no place.
        refuses: Whether the renderer has no place for thinking and calls.
        rewrites: What the template writes otherwise everywhere: a pattern, and what stands here.
        thinking_key: What the template calls thinking.
        parses_arguments: Whether it takes a tool call's arguments as a mapping.
    """

    renderer: str
    template: str
    arguments: dict[str, Any] = field(default_factory=dict)
    differs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    calls: str = ""
    refuses: bool = False
    rewrites: tuple[tuple[str, str], ...] = ()
    thinking_key: str = "reasoning_content"
    parses_arguments: bool = True


QWEN3_DIFFERS = {**LINES_BEFORE, **RESULTS_IN_A_ROW, **ESCAPED}
GPT_OSS_DIFFERS = {
    "an empty system message is written": ("empty system",),
    "the last message ends with the end of sampling": AT_THE_END[:3],
    "thinking in earlier turns stays": (
        *LAST_THINKING,
        "thinking before",
        "only thinking before",
        "thinking twice",
        "thinking once in three turns",
        "padded thinking",
        "long thinking",
        "thinking in other scripts",
        "two pieces of thinking",
        "two answers that think",
    ),
}
CASES = [
    Case("llama3", "llama3", differs=PADDED, refuses=True),
    Case(
        "llama3",
        "llama3_1",
        {"date_string": "26 Jul 2024"},
        differs={**PADDED, "an empty system message is written": ("empty system",)},
        refuses=True,
        rewrites=(
            (r"Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n", ""),
            (r"<\|start_header_id\|>system<\|end_header_id\|>\n\n<\|eot_id\|>", ""),
        ),
    ),
    Case("qwen3", "qwen3", differs={**QWEN3_DIFFERS, **THINKING_BESIDE_A_CALL}),
    Case(
        "qwen3_disable_thinking",
        "qwen3",
        {"enable_thinking": False},
        differs={**QWEN3_DIFFERS, **THINKING_BESIDE_A_CALL},
    ),
    Case(
        "qwen3_instruct",
        "qwen3_instruct_2507",
        differs={
            **QWEN3_DIFFERS,
            "a line break in front of a message doesn't merge with its header's": (
                "a padded answer at the end",
            ),
            "thinking in the last message stays, in bare tags": (
                *LAST_THINKING,
                "a call after thinking at the end",
                "thinking at the end of a tool turn",
            ),
        },
    ),
    Case(
        "qwen3_5",
        "qwen3_5_think",
        differs={
            **THINKING_BESIDE_A_CALL,
            **PADDED_THINKING,
            "the empty thinking at the end is in two pieces": (*AT_THE_END, *CALLS_AT_THE_END),
        },
    ),
    Case(
        "qwen3_5_disable_thinking",
        "qwen3_5_nothink",
        differs={**THINKING_BESIDE_A_CALL, **PADDED_THINKING},
    ),
    Case("qwen3_6", "qwen3_6"),
    Case("qwen3_6_disable_thinking", "qwen3_6", {"enable_thinking": False}),
    *(
        Case(f"qwen3_8_{effort}_reasoning", "qwen3_8", {"reasoning_effort": effort})
        for effort in ("low", "medium", "xhigh")
    ),
    Case("qwen3_8_disable_thinking", "qwen3_8", {"enable_thinking": False}),
    Case(
        "deepseekv3",
        "deepseekv3",
        differs={
            "an answer without text has no end": (
                "empty answer",
                "only thinking before",
                "only thinking at the end",
            ),
        },
        calls="calls and results are V3.1's",
        rewrites=((r"<｜Assistant｜>(<think>\n$)?", "<｜Assistant｜></think>"),),
        parses_arguments=False,
    ),
    Case(
        "deepseekv3_thinking",
        "deepseekv3",
        differs={
            "an empty answer has no end": ("empty answer",),
            "the last answer has its thinking, if only empty": (*AT_THE_END[:3], *LAST_THINKING),
        },
        calls="calls and results are V3.1's",
        rewrites=(
            (r"<｜Assistant｜>(?!<think>\n$)", "<｜Assistant｜></think>"),
            (r"<think>\n$", "<think>"),
        ),
        parses_arguments=False,
    ),
    *(
        Case(
            f"gpt_oss_{effort}_reasoning",
            "gptoss",
            {"reasoning_effort": effort},
            differs=GPT_OSS_DIFFERS,
            calls="a call has <|constrain|>, and results are not quoted as JSON",
            thinking_key="thinking",
        )
        for effort in ("low", "medium", "high")
    ),
]
IDS = [f"{case.renderer}-{case.template}" for case in CASES]


def as_template_input(message: Any, case: Case) -> dict[str, Any]:
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    converted = {
        "role": message["role"],
        "content": "".join(part["text"] for part in parts if part["type"] == "text"),
    }
    thinking = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
    if thinking:
        converted[case.thinking_key] = thinking
    if "tool_calls" in message:
        read = json.loads if case.parses_arguments else str
        converted["tool_calls"] = [
            {
                "type": "function",
                "function": {
                    "name": call.function.name,
                    "arguments": read(call.function.arguments),
                },
            }
            for call in message["tool_calls"]
        ]
    return converted


def template_tokens(tokenizer: Any, template: str, case: Case, messages: Any, **more: Any) -> Any:
    text = tokenizer.apply_chat_template(
        [as_template_input(message, case) for message in messages],
        chat_template=template,
        tokenize=False,
        add_generation_prompt=True,
        **case.arguments,
        **more,
    )
    for pattern, replacement in case.rewrites:
        text = re.sub(pattern, replacement, text)
    return tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_prompts_are_the_templates_but_for_what_is_meant(
    case: Case, tokenizer_of: Any, chat_templates: dict[str, str], all_conversations: ModuleType
) -> None:
    tokenizer = tokenizer_of(case.renderer)
    renderer = get_renderer(case.renderer, tokenizer)
    template = chat_templates[case.template]
    equal, differing, refused = set(), set(), set()
    for shown, messages in all_conversations.ALL.items():
        try:
            ours = renderer.prompt_tokens(messages)
        except RendererError:
            refused.add(shown)
            continue
        try:
            theirs = template_tokens(tokenizer, template, case, messages)
        except TemplateError as error:
            # gpt-oss' template takes thinking or text beside a call, not both
            if "both content and thinking" not in str(error):
                raise
            theirs = None
        (equal if ours == theirs else differing).add(shown)
    calling = set(all_conversations.TOOL_USE)
    thinks = {s for s, m in all_conversations.ALL.items() if all_conversations.has_thinking(m)}
    meant = {shown for names in case.differs.values() for shown in names}
    assert not (case.calls and meant & calling)
    assert refused == (calling | thinks if case.refuses else set())
    assert differing == (meant | calling if case.calls else meant)
    assert len(equal) >= 60
    assert len(equal & calling) >= (0 if case.calls or case.refuses else 20)


DECLARING = [
    (CASES[IDS.index("qwen3-qwen3")], True),
    (CASES[IDS.index("qwen3_disable_thinking-qwen3")], True),
    (CASES[IDS.index("qwen3_instruct-qwen3_instruct_2507")], True),
    (CASES[IDS.index("qwen3_5-qwen3_5_think")], False),
    (CASES[IDS.index("qwen3_6-qwen3_6")], True),
    (CASES[IDS.index("qwen3_8_xhigh_reasoning-qwen3_8")], False),
    (CASES[IDS.index("qwen3_8_medium_reasoning-qwen3_8")], False),
    (CASES[IDS.index("qwen3_5_disable_thinking-qwen3_5_nothink")], False),
]


@pytest.mark.parametrize("system", [None, "Be brief."])
@pytest.mark.parametrize(
    ("case", "wraps"), DECLARING, ids=lambda value: getattr(value, "renderer", "")
)
def test_tools_are_declared_as_in_the_templates(
    case: Case,
    wraps: bool,
    system: str | None,
    tokenizer_of: Any,
    chat_templates: dict[str, str],
    tools: list[Any],
) -> None:
    tokenizer = tokenizer_of(case.renderer)
    messages = [{"role": "user", "content": "Weather?"}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    declared = [{"type": "function", "function": t} for t in tools] if wraps else tools
    theirs = template_tokens(
        tokenizer, chat_templates[case.template], case, messages, tools=declared
    )
    assert get_renderer(case.renderer, tokenizer).prompt_tokens(messages, tools=tools) == theirs


def test_gpt_oss_says_in_a_message_of_its_own_where_calls_go(
    tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    tool = {"name": "now", "description": "Tells the time.", "parameters": {}}
    messages = [{"role": "user", "content": "q"}]
    case = CASES[IDS.index("gpt_oss_medium_reasoning-gptoss")]
    tokenizer = tokenizer_of(case.renderer)
    wrapped = [{"type": "function", "function": tool}]
    theirs = tokenizer.decode(
        template_tokens(tokenizer, chat_templates["gptoss"], case, messages, tools=wrapped)
    )
    renderer = get_renderer(case.renderer, tokenizer)
    ours = tokenizer.decode(renderer.prompt_tokens(messages, tools=[tool]))
    assert "every message.\nCalls to these tools" in theirs
    apart = theirs.replace(
        "every message.\nCalls", "every message.<|end|><|start|>system<|message|>Calls"
    )
    assert ours == apart


def test_llama_3_1_puts_dates_before_the_system_message_and_the_renderer_does_not(
    tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    case = CASES[IDS.index("llama3-llama3_1")]
    tokenizer = tokenizer_of("llama3")
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    text = tokenizer.apply_chat_template(
        messages, chat_template=chat_templates["llama3_1"], tokenize=False, **case.arguments
    )
    dates = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
    assert dates in text
    ours = tokenizer.decode(get_renderer("llama3", tokenizer).prompt_tokens(messages))
    assert ours.startswith(text.replace(dates, ""))


@pytest.mark.parametrize("named", ["smollm2", "qwen2_5", "phi3", "llama3_1", "gemma"])
def test_the_renderer_chat_template_is_apply_chat_template(
    named: str,
    tokenizer_of: Any,
    smollm2_tokenizer: Any,
    chat_templates: dict[str, str],
    all_conversations: ModuleType,
) -> None:
    tokenizer = smollm2_tokenizer
    if named != "smollm2":
        tokenizer = copy.copy(tokenizer_of("llama3" if named == "llama3_1" else "qwen3"))
        tokenizer.chat_template = chat_templates[named]
    renderer = get_renderer("chat_template", tokenizer)
    equal = 0
    for messages in all_conversations.PLAIN.values():
        plain = all_conversations.in_one_part(messages)
        try:
            text = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True)
        except TemplateError:
            with pytest.raises(RendererError, match="can't render"):
                renderer.prompt_tokens(messages)
            continue
        theirs = tokenizer.encode(text, add_special_tokens=False)
        assert renderer.prompt_tokens(messages) == theirs
        equal += 1
    assert equal >= 50
