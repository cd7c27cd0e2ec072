"""A tool call is in the prompt of every chat template, or the conversation is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from proctor.errors import RendererError
from proctor.renderers import get_renderer
from proctor.types import ToolCall

ASK: Any = {"role": "user", "content": "Weather?"}
RESULT: Any = {"role": "tool", "content": "22 C", "name": "forecast", "tool_call_id": "call00001"}
TEMPLATES = [
    "qwen2_5",
    "qwen3",
    "qwen3_5_think",
    "qwen3_6",
    "qwen3_8",
    "deepseekv3",
    "deepseek_r1_distill",
    "nemotron_3_nano",
    "nemotron_3_ultra",
    "glm4moe",
    "lfm2_v2",
    "llama3_1",
]
DROP_THE_TEXT = {"llama3_1"}
"""Templates that write a call without the text beside it."""
DROP_THE_CALL = {"deepseek_r1_distill"}
"""Templates that write the text without the call beside it."""


def calling(text: str) -> Any:
    body = ToolCall.FunctionBody(name="forecast", arguments='{"city": "Paris"}')
    call = ToolCall(id="call00001", function=body)
    return {"role": "assistant", "content": text, "tool_calls": [call]}


@pytest.fixture
def renderer_of(tokenizer_of: Any, chat_templates: dict[str, str]) -> Any:
    def make(template: str) -> Any:
        tokenizer = copy.copy(tokenizer_of("qwen3"))
        tokenizer.chat_template = chat_templates.get(template, template)
        return get_renderer("chat_template", tokenizer)

    return make


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("text", ["", "Let me see."])
def test_a_call_is_in_the_prompt(template: str, text: str, renderer_of: Any) -> None:
    renderer = renderer_of(template)
    if text and template in DROP_THE_CALL:
        with pytest.raises(RendererError, match="leaves out a tool call beside text"):
            renderer.prompt_tokens([ASK, calling(text), RESULT])
        return
    shown = renderer.codec.decode(renderer.prompt_tokens([ASK, calling(text), RESULT]))
    assert shown.count("forecast") >= 1
    assert "Paris" in shown
    assert (text in shown) == (not text or template not in DROP_THE_TEXT)


def test_a_template_that_knows_calls_and_drops_them_is_refused(renderer_of: Any) -> None:
    dropping = renderer_of(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        "{% if m.tool_calls and m.content is none %}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    for text, how in (("", "without text"), ("Let me see.", "beside text")):
        with pytest.raises(RendererError, match=f"leaves out a tool call {how}"):
            dropping.prompt_tokens([ASK, calling(text), RESULT])


def test_a_call_that_is_named_by_its_id_alone_is_a_call(renderer_of: Any) -> None:
    """As in Kimi K2's template: such a call was taken for one that was left out."""
    naming = renderer_of(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
        "{% for c in m.tool_calls or () %}[{{ c.id }} {{ c.function.arguments }}]{% endfor %}"
        "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    for text in ("", "Let me see."):
        shown = naming.codec.decode(naming.prompt_tokens([ASK, calling(text), RESULT]))
        assert f"assistant\n{text}[call00001 " in shown
        assert "Paris" in shown
