"""What is planted in each family's prompts is found, and nothing but what is meant is left out."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from proctor.renderers import CANONICAL, Renderer, check_renderer, get_renderer, quick_check

START, END = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
DEEPSEEK_V3_1 = (
    "{{ bos_token }}{% set state = namespace(asked=false) %}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ m.content }}"
    "{% elif m.role == 'user' %}<｜User｜>{{ m.content }}{% set state.asked = true %}"
    "{% elif m.role == 'tool' %}<｜tool▁output▁begin｜>{{ m.content }}<｜tool▁output▁end｜>"
    "{% else %}{% if state.asked %}<｜Assistant｜></think>{% endif %}{% set state.asked = false %}"
    "{{ m.content or '' }}{% if m.tool_calls %}<｜tool▁calls▁begin｜>{% for c in m.tool_calls %}"
    "<｜tool▁call▁begin｜>{{ c.function.name + '<｜tool▁sep｜>' + c.function.arguments }}"
    "<｜tool▁call▁end｜>{% endfor %}<｜tool▁calls▁end｜>{% endif %}<｜end▁of▁sentence｜>"
    "{% endif %}{% endfor %}{% if add_generation_prompt and state.asked %}"
    "<｜Assistant｜>{{ '<think>' if thinking else '</think>' }}{% endif %}"
)
"""DeepSeek V3.1's format: no package has its template."""

CHATML = [
    ("a missing end token", "Paris.<|im_end|>", "Paris.", "several turns"),
    ("a lost newline", "<|im_start|>user\n", "<|im_start|>user", "one question"),
    ("a doubled newline", "<|im_end|>\n", "<|im_end|>\n\n", "one question"),
    ("another role's header", "<|im_start|>system", "<|im_start|>user", "a system message"),
    ("no system message", "Answer in one word.", "", "a system message"),
    ("a result without its wrapper", "<tool_response>\n", "", "a tool call"),
    ("another name for results", "tool_response>", "tool_result>", "a tool call"),
    ("a name that is lost", "weather", "wether", "a call without arguments"),
]
JSON = [
    ("Python's True", '"yes": true', '"yes": True', "every type of argument"),
    ("Python's None", '"none": null', '"none": None', "every type of argument"),
    ("a number as text", '"integer": 12', '"integer": "12"', "every type of argument"),
    ("text as a number", '_as_text": "12"', '_as_text": 12', "every type of argument"),
]
QWEN = [
    *CHATML,
    *JSON,
    ("results swapped", "25 C\n", "22 C\n", "several calls"),
    ("one header for results", "<|im_end|>\n<|im_start|>user\n<tool", "\n<tool", "several calls"),
    ("thinking kept", "assistant\nParis.", "assistant\n<think>\n\n</think>Paris.", "several turns"),
    (
        "no wrapper around declarations",
        '{"type": "function", "function": {"name"',
        '{{"name"',
        "tools",
    ),
]
PLANTED = {
    ("llama3", "llama3"): [
        ("a missing end token", "Paris.<|eot_id|>", "Paris.", "several turns"),
        ("a lost newline", "user<|end_header_id|>\n\n", "user<|end_header_id|>\n", "one question"),
        ("the start token twice", "<|begin_of_text|>", "<|begin_of_text|>" * 2, "one question"),
        ("no start token", "<|begin_of_text|>", "", "one question"),
        ("another role's header", "header_id|>system", "header_id|>user", "a system message"),
        ("no system message", "Answer in one word.", "", "a system message"),
        ("an answer's header lost", "|>assistant<|end_header_id|>\n\nP", "|>P", "several turns"),
        ("spaces that are joined", "a   b", "a b", "spaces inside"),
        ("lines that are joined", "a\n\n", "a\n", "lines and spaces inside"),
        ("letters that are composed otherwise", "é", "e\u0301", "unicode"),
    ],
    ("qwen3", "qwen3"): QWEN,
    ("qwen3_disable_thinking", "qwen3"): [
        *QWEN,
        ("thinking not closed", "<think>\n\n</think>\n\n", "", "one question"),
    ],
    ("qwen3_instruct", "qwen3_instruct_2507"): QWEN,
    ("qwen3_5", "qwen3_5_think"): [
        *CHATML,
        ("JSON's true", "\nTrue\n", "\ntrue\n", "every type of argument"),
        ("JSON's null", "\nNone\n", "\nnull\n", "every type of argument"),
        ("thinking not opened", "assistant\n<think>\n", "assistant\n", "one question"),
        ("results swapped", "25 C\n", "22 C\n", "several calls"),
    ],
    ("qwen3_8_low_reasoning", "qwen3_8"): [
        *CHATML,
        ("another effort", "set to low", "set to high", "one question"),
        ("Python's True", "\ntrue\n", "\nTrue\n", "every type of argument"),
        ("thinking taken out", "France's capital is Paris.", "", "thinking in the history"),
        ("no empty thinking", "<think>\n\n</think>\n\n22", "22", "an answer after a result"),
    ],
    ("gpt_oss_medium_reasoning", "gptoss"): [
        *JSON,
        ("a missing end token", "Paris.<|end|>", "Paris.", "several turns"),
        ("another effort", "Reasoning: medium", "Reasoning: low", "one question"),
        ("another date", "Current date: 20", "Current date: 19", "one question"),
        ("another role's header", "<|start|>developer", "<|start|>system", "a system message"),
        ("no instructions", "Answer in one word.", "", "a system message"),
        ("no channel", "<|channel|>final<|message|>", "<|message|>", "several turns"),
        ("no namespace", "functions.weather<|ch", "weather<|ch", "a tool call"),
        ("another end of a call", "}<|call|>", "}<|end|>", "a tool call"),
        ("nobody that a result goes to", " to=assistant<|channel|>", "<|channel|>", "a tool call"),
        ("a type that is lost", "city: string", "city: any", "tools"),
        ("another channel of calls", "commentary <|", "analysis <|", "a call without arguments"),
    ],
    ("deepseekv3", DEEPSEEK_V3_1): [
        *JSON,
        ("a missing end token", f"Paris.{END}", "Paris.", "several turns"),
        (
            "a call's end token",
            f"calls▁end｜>{END}",
            "calls▁end｜>",
            "a tool call after text",
        ),
        ("thinking not closed", "<｜Assistant｜></think>", "<｜Assistant｜>", "one question"),
        (
            "the start token twice",
            START,
            START * 2,
            "one question",
        ),
        ("no system message", "Answer in one word.", "", "a system message"),
        ("a result without its end", "<｜tool▁output▁end｜>", "", "a tool call"),
        ("a call without its end", "<｜tool▁call▁end｜>", "", "several calls"),
        (
            "a header after a result",
            "<｜tool▁output▁end｜>22",
            "<｜tool▁output▁end｜><｜Assistant｜>22",
            "an answer after a result",
        ),
        ("results swapped", "25 C", "22 C", "several calls"),
    ],
}
"""By renderer and template: what is planted, in place of what, and a conversation that shows it."""

CASES = [(*pair, *planted) for pair, all_planted in PLANTED.items() for planted in all_planted]
MEANT = [
    *PLANTED,
    ("deepseekv3_thinking", DEEPSEEK_V3_1),
    ("qwen3_5_disable_thinking", "qwen3_5_nothink"),
    ("qwen3_6", "qwen3_6"),
    ("qwen3_6_disable_thinking", "qwen3_6"),
    ("qwen3_8_xhigh_reasoning", "qwen3_8"),
    ("qwen3_8_medium_reasoning", "qwen3_8"),
    ("qwen3_8_disable_thinking", "qwen3_8"),
    ("gpt_oss_low_reasoning", "gptoss"),
    ("gpt_oss_high_reasoning", "gptoss"),
]


@pytest.fixture
def tokenizer_with(tokenizer_of: Any, chat_templates: dict[str, str]) -> Any:
    def make(name: str, template: str) -> Any:
        tokenizer = copy.copy(tokenizer_of(name))
        tokenizer.chat_template = chat_templates.get(template, template)
        return tokenizer

    return make


def with_planted(name: str, tokenizer: Any, old: str, new: str) -> Renderer:
    """The renderer of a name, with something else in its prompts where ``old`` stands."""
    right: type[Renderer] = type(get_renderer(name, tokenizer))

    class Planted(right):  # type: ignore[valid-type,misc]  # a class that is known when it runs
        def layout_tokens(self, conversations: Any, role: str, tools: Any) -> list[list[int]]:
            prompts = super().layout_tokens(conversations, role, tools)
            texts = [(tokens, self.codec.decode(tokens)) for tokens in prompts]
            return [
                self.codec.encode_markup(text.replace(old, new)) if old in text else tokens
                for tokens, text in texts
            ]

    return Planted(tokenizer)


@pytest.mark.parametrize(
    ("name", "template", "what", "old", "new", "shown"),
    CASES,
    ids=[f"{name}-{what}" for name, _, what, *_ in CASES],
)
def test_what_is_planted_is_found(
    name: str, template: str, what: str, old: str, new: str, shown: str, tokenizer_with: Any
) -> None:
    tokenizer = tokenizer_with(name, template)
    found = check_renderer(with_planted(name, tokenizer, old, new), tokenizer)
    assert shown in {difference.conversation for difference in found}


@pytest.mark.parametrize(("name", "template"), PLANTED)
def test_nothing_is_found_where_a_thing_is_planted_that_was_there(
    name: str, template: str, tokenizer_with: Any
) -> None:
    tokenizer = tokenizer_with(name, template)
    assert check_renderer(with_planted(name, tokenizer, "a", "a"), tokenizer) == []


def test_ten_are_planted_in_each_family() -> None:
    assert all(len(planted) >= 10 for planted in PLANTED.values())


@pytest.mark.parametrize(("name", "template"), MEANT)
def test_nothing_is_found_unplanted_and_no_conversation_is_left_out_for_nothing(
    name: str, template: str, tokenizer_with: Any
) -> None:
    tokenizer = tokenizer_with(name, template)
    renderer = get_renderer(name, tokenizer)
    meant = set(renderer.differs_on)
    assert meant <= CANONICAL.keys()
    assert quick_check(renderer, tokenizer) == []
    renderer.differs_on = frozenset()  # type: ignore[misc]  # to see what it leaves out
    assert {d.conversation for d in check_renderer(renderer, tokenizer)} == meant
