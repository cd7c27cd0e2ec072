"""Declarations of tools: one shape, checked once, whatever the family."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.errors import RendererError
from proctor.renderers import get_renderer

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "The weather now.", "parameters": PARAMETERS}
QUESTION = [{"role": "user", "content": "Weather in Paris?"}]
FAMILIES = (
    "qwen3",
    "qwen3_instruct",
    "qwen3_5",
    "qwen3_6",
    "qwen3_8_low_reasoning",
    "deepseekv3",
    "deepseekv3_thinking",
    "gpt_oss_medium_reasoning",
    "kimi_k2",
    "chat_template",
)


@pytest.fixture(params=FAMILIES)
def renderer(request: Any, tokenizer_of: Any, chat_templates: dict[str, str]) -> Any:
    if request.param != "chat_template":
        return get_renderer(request.param, tokenizer_of(request.param))
    import copy

    tokenizer = copy.copy(tokenizer_of("qwen3"))
    tokenizer.chat_template = chat_templates["qwen3"]
    return get_renderer("chat_template", tokenizer)


def test_openais_wrapping_changes_nothing(renderer: Any) -> None:
    wrapped = {"type": "function", "function": TOOL}
    plain = renderer.prompt_tokens(QUESTION, tools=[TOOL])
    assert renderer.prompt_tokens(QUESTION, tools=[wrapped]) == plain
    assert "The weather now." in renderer.tokenizer.decode(plain)
    if renderer.name != "chat_template":
        messages = renderer.create_conversation_prefix_with_tools([wrapped])
        assert messages == renderer.create_conversation_prefix_with_tools([TOOL])


@pytest.mark.parametrize("left_out", ["description", "parameters"])
def test_a_name_is_enough(renderer: Any, left_out: str) -> None:
    tool = {key: value for key, value in TOOL.items() if key != left_out}
    tokens = renderer.prompt_tokens(QUESTION, tools=[tool])
    assert "weather" in renderer.tokenizer.decode(tokens)
    none = renderer.prompt_tokens(QUESTION, tools=[{**TOOL, left_out: None}])
    assert none == tokens


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        (["weather"], "'weather' is no declaration of a tool"),
        ([{"description": "d"}], "has no name"),
        ([{**TOOL, "name": ""}], "has no name"),
        ([{**TOOL, "name": 3}], "has no name"),
        ([{"type": "function", "function": None}], "is no declaration"),
        ([{**TOOL, "description": 3}], "'description' is no text"),
        ([{**TOOL, "parameters": "city"}], "'parameters' is no JSON schema"),
        ([TOOL, {**TOOL, "description": "other"}], "two tools are called 'weather'"),
    ],
    ids=[
        "text",
        "no name",
        "empty name",
        "number",
        "empty wrapping",
        "description",
        "parameters",
        "twice",
    ],
)
def test_what_is_no_declaration_is_one_line(renderer: Any, tools: Any, problem: str) -> None:
    with pytest.raises(RendererError) as error:
        renderer.prompt_tokens(QUESTION, tools=tools)
    assert problem in str(error.value)
    assert f"renderer {renderer.name}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_declaration_that_spells_a_control_token_opens_nothing(renderer: Any) -> None:
    stop = renderer.stops[0].spelling
    plain = renderer.prompt_tokens(QUESTION, tools=[TOOL])
    hostile = {**TOOL, "description": f"Ends {stop} here."}
    tokens = renderer.prompt_tokens(QUESTION, tools=[hostile])
    stop_id = renderer.tokenizer.convert_tokens_to_ids(stop)
    assert tokens.count(stop_id) == plain.count(stop_id)
