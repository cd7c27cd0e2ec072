"""The check at a run's start: no warning for a right mode of tinker-cookbook's renderers."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from proctor.renderers import CANONICAL, Prompt, check_renderer, get_renderer, quick_check
from proctor_cookbook import RENDERERS

RIGHT = [
    ("llama3", "llama3"),
    ("qwen3", "qwen3"),
    ("qwen3_disable_thinking", "qwen3"),
    ("qwen3_instruct", "qwen3_instruct_2507"),
    ("qwen3_vl", "qwen3_vl"),
    ("qwen3_vl_instruct", "qwen3_vl"),
    ("qwen3_5", "qwen3_5_think"),
    ("qwen3_5_disable_thinking", "qwen3_5_nothink"),
    ("qwen3_5_disable_thinking", "qwen3_5_think"),
    ("qwen3_5_preserve_thinking", "qwen3_5_think"),
    ("qwen3_8_xhigh_reasoning", "qwen3_8"),
    ("qwen3_8_medium_reasoning", "qwen3_8"),
    ("qwen3_8_low_reasoning", "qwen3_8"),
    ("qwen3_8_disable_thinking", "qwen3_8"),
    ("gpt_oss_high_reasoning", "gptoss"),
    ("gpt_oss_low_reasoning", "gptoss"),
    ("gpt_oss_medium_reasoning", "gptoss"),
    ("gpt_oss_no_sysprompt", "gptoss"),
    ("nemotron3", "nemotron_3_nano"),
    ("nemotron3", "nemotron_3_super"),
    ("nemotron3_disable_thinking", "nemotron_3_super"),
    ("nemotron3_low_thinking", "nemotron_3_super"),
    ("nemotron3_preserve_thinking", "nemotron_3_nano"),
    ("nemotron3_ultra", "nemotron_3_ultra"),
    ("nemotron3_ultra", "nemotron_3_5_lightning"),
    ("nemotron3_ultra_disable_thinking", "nemotron_3_ultra"),
    ("nemotron3_ultra_medium_thinking", "nemotron_3_ultra"),
    ("nemotron3_ultra_preserve_thinking", "nemotron_3_ultra"),
]
WRONG = [
    ("qwen3", "qwen3_8"),
    ("qwen3_5", "qwen3_8"),
    ("qwen3_8_low_reasoning", "qwen3_5_think"),
    ("nemotron3", "qwen3_5_think"),
    ("qwen3_instruct", "nemotron_3_nano"),
    ("gpt_oss_medium_reasoning", "qwen3"),
]
CHATML = [
    ("a missing end token", "Paris.<|im_end|>", "Paris.", "several turns"),
    ("a lost newline", "<|im_start|>user\n", "<|im_start|>user", "one question"),
    ("a doubled newline", "<|im_end|>\n", "<|im_end|>\n\n", "one question"),
    ("another role's header", "<|im_start|>system", "<|im_start|>user", "a system message"),
    ("no system message", "Answer in one word.", "", "a system message"),
    ("another name for results", "tool_response>", "tool_result>", "a tool call after text"),
    ("no result", "22 C", "", "a tool call after text"),
    ("results swapped", "25 C", "22 C", "results out of order"),
    ("a declaration that is lost", "The time now.", "", "tools"),
]
PLANTED = {
    ("nemotron3", "nemotron_3_nano"): [
        *CHATML,
        ("JSON's true", "\nTrue\n", "\ntrue\n", "every type of argument"),
        ("thinking not opened", "assistant\n<think>\n", "assistant\n", "one question"),
    ],
    ("nemotron3_ultra_medium_thinking", "nemotron_3_ultra"): [
        *CHATML,
        ("another effort", "reasoning effort", "effort", "one question"),
    ],
    ("qwen3_vl", "qwen3_vl"): [
        *CHATML,
        ("Python's True", '"yes": true', '"yes": True', "every type of argument after text"),
        ("a call without its text", "Well.", "", "a tool call after text"),
    ],
}
"""By renderer and template: what is planted, in place of what, and a conversation that shows it."""
NO_TEMPLATE_HERE = {
    # no package has their templates
    *("deepseekv4_1", "deepseekv4_1_disable_thinking", "deepseekv4_1_low_reasoning"),
    *("deepseekv4_1_max_reasoning", "deepseekv4_1_preserve_thinking"),
    *("glm5_3_high_reasoning", "glm5_3_low_reasoning", "glm5_3_max_reasoning"),
    *("kimi_k2", "kimi_k25", "kimi_k25_disable_thinking"),
    *("kimi_k26", "kimi_k26_disable_thinking", "kimi_k26_preserve_thinking"),
    # V3's is not V3.1's
    *("deepseekv3", "deepseekv3_disable_thinking", "deepseekv3_thinking"),
    # its format is no template, and any tokenizer's
    *("tml_v0", "role_colon"),
}


@pytest.fixture
def renderer_of(many_formats_tokenizer: Any) -> Any:
    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    templates = Path(spec.origin).parent / "chat_templates"

    def make(name: str, template: str) -> Any:
        tokenizer = copy.copy(many_formats_tokenizer)
        tokenizer.chat_template = (templates / f"{template}.jinja").read_text(encoding="utf-8")
        return get_renderer(f"cookbook/{name}", tokenizer), tokenizer

    return make


def test_every_renderer_is_in_a_table() -> None:
    assert {name for name, _ in RIGHT} | NO_TEMPLATE_HERE == set(RENDERERS)


@pytest.mark.parametrize(("name", "template"), RIGHT)
def test_a_right_mode_is_not_warned_of(name: str, template: str, renderer_of: Any) -> None:
    renderer, tokenizer = renderer_of(name, template)
    assert quick_check(renderer, tokenizer) == []
    assert check_renderer(renderer, tokenizer) == []


@pytest.mark.parametrize(("name", "template"), RIGHT)
def test_no_conversation_is_left_out_for_nothing(
    name: str, template: str, renderer_of: Any
) -> None:
    renderer, tokenizer = renderer_of(name, template)
    meant = set(renderer.differs_on)
    assert meant <= CANONICAL.keys()
    renderer.differs_on = frozenset()
    assert {difference.conversation for difference in check_renderer(renderer, tokenizer)} == meant


@pytest.mark.parametrize(("name", "template"), WRONG)
def test_another_familys_is(name: str, template: str, renderer_of: Any) -> None:
    renderer, tokenizer = renderer_of(name, template)
    (warning,) = quick_check(renderer, tokenizer)
    assert "its prompt differs from the tokenizer's own chat template" in warning.problem


@pytest.fixture
def found_with(renderer_of: Any, monkeypatch: Any) -> Any:
    """The conversations that differ where ``new`` stands in a renderer's prompts for ``old``."""

    def found(name: str, template: str, old: str, new: str) -> set[str]:
        renderer, tokenizer = renderer_of(name, template)
        right = renderer.layout

        def planted(*conversation: Any) -> list[Prompt]:
            texts = [renderer.codec.decode(prompt.tokens) for prompt in right(*conversation)]
            return [Prompt(renderer.codec.encode_markup(text.replace(old, new))) for text in texts]

        monkeypatch.setattr(renderer, "layout", planted)
        return {difference.conversation for difference in check_renderer(renderer, tokenizer)}

    return found


@pytest.mark.parametrize(
    ("name", "template", "what", "old", "new", "shown"),
    [(*pair, *planted) for pair, all_planted in PLANTED.items() for planted in all_planted],
)
def test_what_is_planted_is_found(
    name: str, template: str, what: str, old: str, new: str, shown: str, found_with: Any
) -> None:
    assert shown in found_with(name, template, old, new)


@pytest.mark.parametrize(("name", "template"), PLANTED)
def test_nothing_is_found_where_nothing_is_planted(
    name: str, template: str, found_with: Any
) -> None:
    assert found_with(name, template, "a", "a") == set()


def test_a_declaration_keeps_the_order_of_its_keys(renderer_of: Any) -> None:
    """It came out with its description first, which is another prompt."""
    renderer, tokenizer = renderer_of("qwen3", "qwen3")
    tool: Any = {"name": "now", "description": "The time.", "parameters": {}}
    shown = tokenizer.decode(
        renderer.prompt_tokens([{"role": "user", "content": "?"}], tools=[tool])
    )
    assert '{"name": "now", "description": "The time.", "parameters": {}}' in shown


def test_the_command_says_that_a_mode_is_right_and_another_is_not(
    tmp_path: Path, renderer_of: Any, command_line: Any
) -> None:
    _, tokenizer = renderer_of("qwen3_8_low_reasoning", "qwen3_8")
    tokenizer.save_pretrained(tmp_path)
    codes = {}
    for mode in ("qwen3_8_low_reasoning", "qwen3_8_disable_thinking", "qwen3_5"):
        command = ("render", "--model", str(tmp_path), "--renderer", f"cookbook/{mode}", "--check")
        codes[mode] = command_line(*command, with_backend=False).code
    assert codes == {"qwen3_8_low_reasoning": 0, "qwen3_8_disable_thinking": 0, "qwen3_5": 1}
