"""Prompts against tml-renderers: Tinker's own renderers, in Rust, with vocabularies of their own.

It is written apart from tinker-cookbook, with whose tokens checkpoints are trained. Where the two
differ, ours are tinker-cookbook's. Each such place is listed here, so that none comes or goes
unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from tml_renderers import chat, renderers as tml

from proctor.renderers import get_renderer

DATE = "2025-01-31"

ONE_ROLE_IN_A_ROW = {
    "messages of one role in a row are one there": ("two questions in a row",),
}
ANSWERS_IN_A_ROW = {
    "answers in a row are one there": ("two answers in a row", "two answers that think"),
}
ESCAPED = {
    "what is not ASCII in a call's arguments is escaped": (
        "argument: letters beyond ascii",
        "argument: emoji",
        "argument: escaped letters",
        "argument: a key with a space",
    ),
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
VALUES = {
    "lists and objects have no spaces there": (
        "argument: a list",
        "argument: an object",
        "argument: compact",
        "call",
    ),
    "numbers are written anew there": ("argument: a big integer", "argument: an exponent"),
}
LAST_THINKING = (
    "thinking at the end",
    "only thinking at the end",
    "thinking before and at the end",
    "padded thinking at the end",
    "a call after thinking at the end",
    "thinking at the end of a tool turn",
)
QWEN3_5_DIFFERS = {
    **ONE_ROLE_IN_A_ROW,
    **VALUES,
    "thinking is taken out of all but the last message": (
        "call after thinking",
        "call after thinking only",
        "two calls after thinking",
        "thinking at the end of a tool turn",
        "calls with thinking between, going on",
    ),
    "white space around thinking in the last message stays": ("padded thinking at the end",),
}
AT_THE_END = (
    "answer at the end",
    "answer at the end and system",
    "a padded answer at the end",
    "a call at the end",
    "a call after text at the end",
    "answer at the end of a tool turn",
)
QWEN3_8_DIFFERS = {
    **ONE_ROLE_IN_A_ROW,
    **VALUES,
    "only the first of two pieces of thinking is kept there": ("two pieces of thinking",),
}
REFORMATTED = (
    "argument: an exponent",
    "argument: a large exponent",
    "argument: compact",
    "argument: spread over lines",
)
DEEPSEEK_DIFFERS = {
    **ANSWERS_IN_A_ROW,
    "an answer without text has no end": ("empty answer", "an empty answer after a result"),
    "an answer that only thinks is left out there": ("only thinking before",),
    "after an answer at the end there is no prompt for another there": (
        *AT_THE_END,
        *LAST_THINKING[:5],
    ),
    "each piece of text has an end there": ("two pieces of thinking",),
    "the JSON of arguments stays as it is": (
        *REFORMATTED,
        "argument: letters beyond ascii",
        "argument: emoji",
    ),
    "thinking that follows a result stays": (
        "thinking at the end of a tool turn",
        "calls with thinking between",
        "calls with thinking between, going on",
    ),
}
GPT_OSS_DIFFERS = {
    **ONE_ROLE_IN_A_ROW,
    "answers in a row are one there": ("two answers in a row",),
    "an empty system message is written": ("empty system",),
    "the last answer ends with the end of sampling": (
        *AT_THE_END[:3],
        "answer at the end of a tool turn",
    ),
    "thinking before the last answer's end stays": (
        *LAST_THINKING[:4],
        "thinking before",
        "only thinking before",
        "thinking twice",
        "thinking once in three turns",
        "padded thinking",
        "long thinking",
        "thinking in other scripts",
        "two pieces of thinking",
        "two answers that think",
        "answer after thinking twice",
        "thinking at the end of a tool turn",
        "calls with thinking between",
        "thinking before a tool turn",
    ),
    "the JSON of arguments stays as it is": (
        "argument: a big integer",
        "argument: a large exponent",
        "argument: compact",
        "argument: spread over lines",
        "argument: escaped letters",
    ),
}

QWEN3_5_REWRITES = ((r"(?<!</tool_call>)(?<!assistant)(?<!\n)\n<tool_call>", "\n\n<tool_call>"),)
"""A call after text stands two lines below it, in Qwen's own template too."""

_CALLS = r"<｜tool▁calls▁begin｜>(?:(?!<｜tool▁calls▁end｜>).)*<｜tool▁calls▁end｜>"
DEEPSEEK_REWRITES = (
    # a turn that only calls has no end, as in tinker-cookbook
    (rf"(</think>|<｜tool▁output▁end｜>)({_CALLS})<｜end▁of▁sentence｜>", r"\1\2"),
    # the text of a turn that calls has no end of its own, in DeepSeek's own template too
    (r"<｜end▁of▁sentence｜>(<｜tool▁calls▁begin｜>)", r"\1"),
)
HARMONY_REWRITES = (
    # a call says that it is held to JSON, as OpenAI's own openai-harmony writes it
    (r"(<\|channel\|>commentary) json", r"\1 <|constrain|>json"),
    # results are not quoted as JSON, as there
    (
        r"(?<=to=assistant<\|channel\|>commentary<\|message\|>)[^<]*(?=<\|end\|>)",
        lambda found: json.loads(found.group()),
    ),
)


@dataclass(frozen=True)
class Case:
    """A renderer, the one it is held against, and where they mean to differ.

    Attributes:
        name: The renderer's name here.
        make: Makes theirs.
        differs: Conversations whose prompts differ, by the reason.
        rewrites: What theirs writes otherwise everywhere: a pattern, and what stands here.
        refuses: Conversations that theirs refuses.
    """

    name: str
    make: Callable[[], Any]
    differs: Mapping[str, Sequence[str]]
    rewrites: Sequence[tuple[str, Any]] = ()
    refuses: Sequence[str] = ()


QWEN3_DIFFERS = {**ONE_ROLE_IN_A_ROW, **ESCAPED, **RESULTS_IN_A_ROW}
CASES = [
    Case("qwen3", tml.Qwen3, QWEN3_DIFFERS),
    Case(
        "qwen3_disable_thinking", tml.Qwen3.disable_thinking, QWEN3_DIFFERS, refuses=LAST_THINKING
    ),
    Case(
        "qwen3_instruct",
        tml.Qwen3.instruct,
        {**QWEN3_DIFFERS, "thinking in the last message has text for tags there": LAST_THINKING},
    ),
    Case(
        "qwen3_5",
        tml.Qwen35,
        {**QWEN3_5_DIFFERS, "the empty thinking at the end is in two pieces": AT_THE_END},
        QWEN3_5_REWRITES,
    ),
    Case(
        "qwen3_5_disable_thinking", tml.Qwen35.disable_thinking, QWEN3_5_DIFFERS, QWEN3_5_REWRITES
    ),
    *(
        Case(f"qwen3_8_{mode}", make, QWEN3_8_DIFFERS, QWEN3_5_REWRITES)
        for mode, make in (
            ("low_reasoning", tml.Qwen38.low),
            ("medium_reasoning", tml.Qwen38.medium),
            ("xhigh_reasoning", tml.Qwen38.xhigh),
            ("disable_thinking", tml.Qwen38.disable_thinking),
        )
    ),
    Case("deepseekv3", tml.DeepSeekV31, DEEPSEEK_DIFFERS, DEEPSEEK_REWRITES),
    Case(
        "deepseekv3_thinking",
        tml.DeepSeekV31.thinking,
        {
            **DEEPSEEK_DIFFERS,
            "thinking beside a call stays": (
                "call after thinking",
                "call after thinking only",
                "two calls after thinking",
                "answer after thinking twice",
            ),
        },
        DEEPSEEK_REWRITES,
    ),
    *(
        Case(f"gpt_oss_{effort}_reasoning", partial(make, DATE), GPT_OSS_DIFFERS, HARMONY_REWRITES)
        for effort, make in (
            ("low", tml.GptOss.low),
            ("medium", tml.GptOss.medium),
            ("high", tml.GptOss.high),
        )
    ),
    Case(
        "kimi_k2",
        tml.KimiK2,
        {
            **ONE_ROLE_IN_A_ROW,
            **ANSWERS_IN_A_ROW,
            "the JSON of arguments stays as it is": (*REFORMATTED, "argument: escaped letters"),
            "a line break at a result's start doesn't merge with its header's": ("padded result",),
        },
    ),
]


def as_tml(messages: Sequence[Any]) -> list[Any]:
    """A conversation as tml-renderers takes it: OpenAI's, with parts for thinking."""
    given = []
    for message in messages:
        message = dict(message)
        if "tool_calls" in message:
            message["tool_calls"] = [call.model_dump(mode="json") for call in message["tool_calls"]]
        given.append(message)
    converted: list[Any] = chat.OpenAIMessage.from_oss_messages(given)
    return converted


def tml_tokens(case: Case, renderer: Any, tokenizer: Any, messages: Sequence[Any]) -> list[int]:
    """The prompt's tokens there; where there is something to rewrite, by their text."""
    spans, _ = renderer.render_for_completion(as_tml(messages))
    tokens = [token for span in spans for token in span.span.tokens]
    text = rewritten = tokenizer.decode(tokens)
    for pattern, replacement in case.rewrites:
        rewritten = re.sub(pattern, replacement, rewritten, flags=re.DOTALL)
    if rewritten == text:
        return tokens
    encoded: list[int] = tokenizer.encode(rewritten, add_special_tokens=False)
    return encoded


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_prompts_are_equal_but_for_what_is_meant(
    case: Case, tokenizer_of: Any, all_conversations: ModuleType
) -> None:
    tokenizer = tokenizer_of(case.name)
    ours: Any = get_renderer(case.name, tokenizer)
    if hasattr(ours, "current_date"):
        ours.current_date = DATE
    theirs = case.make()
    equal, differing, refused = set(), set(), set()
    for shown, messages in all_conversations.ALL.items():
        try:
            wanted = tml_tokens(case, theirs, tokenizer, all_conversations.in_one_part(messages))
        except ValueError:
            refused.add(shown)
            continue
        (equal if ours.prompt_tokens(messages) == wanted else differing).add(shown)
    meant = {shown for names in case.differs.values() for shown in names}
    print("XX", case.name, "new", sorted(differing - meant), "gone", sorted(meant - differing))
    assert differing == meant
    assert refused == set(case.refuses)
    assert len(equal) >= 60
    assert sum(all_conversations.has_tools(all_conversations.ALL[s]) for s in equal) >= 20
