"""What a format has no place for is refused, in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.errors import RendererError
from proctor.renderers import BUILTIN, Renderer, get_renderer
from proctor.types import ToolCall

CALL = ToolCall(id="functions.f:0", function=ToolCall.FunctionBody(name="f", arguments="{}"))
ASK = {"role": "user", "content": "?"}


@pytest.fixture(params=sorted(BUILTIN))
def renderer(request: pytest.FixtureRequest, tokenizer_of: Any, smollm2_tokenizer: Any) -> Renderer:
    if request.param == "chat_template":
        return get_renderer("chat_template", smollm2_tokenizer)
    return get_renderer(request.param, tokenizer_of(request.param))


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
@pytest.mark.parametrize(
    "part", [{"type": "image", "image": "data:,x"}, {"type": "audio", "audio": "data:,x"}]
)
def test_images_and_the_like_are_refused(renderer: Renderer, role: str, part: Any) -> None:
    text = {"type": "text", "text": "Look:"}
    with pytest.raises(RendererError) as caught:
        renderer.prompt_tokens([{"role": role, "content": [text, part]}, ASK])
    assert f"no format for a part of type {part['type']!r}" in str(caught.value)
    assert renderer.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("role", ["system", "user"])
def test_thinking_is_an_assistants(renderer: Renderer, role: str) -> None:
    thinking: Any = [{"type": "thinking", "thinking": "hm"}]
    with pytest.raises(RendererError, match="thinking"):
        renderer.prompt_tokens([{"role": role, "content": thinking}, ASK])


def test_tools_where_the_template_has_none(smollm2_tokenizer: Any, tools: Any) -> None:
    renderer = get_renderer("chat_template", smollm2_tokenizer)
    with pytest.raises(RendererError, match="no format for tools"):
        renderer.prompt_tokens([ASK], tools=tools)
    with pytest.raises(RendererError, match="no place for tool calls"):
        renderer.prompt_tokens([{"role": "assistant", "content": "", "tool_calls": [CALL]}])
    thought: Any = [{"type": "thinking", "thinking": "hm"}]
    with pytest.raises(RendererError, match="no place for thinking"):
        renderer.prompt_tokens([{"role": "assistant", "content": thought}])


def test_a_template_declares_tools_by_itself(chat_tokenizer: Any, tools: Any) -> None:
    renderer = get_renderer("chat_template", chat_tokenizer)
    with pytest.raises(RendererError, match="pass tools="):
        renderer.create_conversation_prefix_with_tools(tools)
    own = get_renderer("qwen3", chat_tokenizer)
    system = {"role": "system", "content": "S"}
    declared = own.prompt_tokens([system, ASK], tools=tools)
    assert renderer.prompt_tokens([system, ASK], tools=tools) == declared


def test_a_template_that_refuses_says_what_it_says(chat_tokenizer: Any) -> None:
    chat_tokenizer.chat_template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('No system here') }}{% endif %}"
        "{{ messages[0].content }}<|im_end|>"
    )
    renderer = get_renderer("chat_template", chat_tokenizer)
    with pytest.raises(RendererError, match="can't render the conversation: No system here"):
        renderer.prompt_tokens([{"role": "system", "content": "x"}])


def test_no_template_is_an_error(tokenizer_of: Any) -> None:
    with pytest.raises(RendererError, match="no chat template; name another"):
        get_renderer("chat_template", tokenizer_of("llama3"))


def test_only_deepseeks_own_roles_and_a_system_message_at_the_start(tokenizer_of: Any) -> None:
    renderer = get_renderer("deepseekv3", tokenizer_of("deepseekv3"))
    with pytest.raises(RendererError, match="at the start only"):
        renderer.prompt_tokens([ASK, {"role": "system", "content": "x"}])
    with pytest.raises(RendererError, match="no role 'developer'"):
        renderer.prompt_tokens([{"role": "developer", "content": "x"}])
    with pytest.raises(RendererError, match="can't prompt for the role 'user'"):
        renderer.prompt_tokens([ASK], role="user")


@pytest.mark.parametrize("name", ["llama3", "qwen3", "kimi_k2", "role_colon"])
def test_a_prompt_for_another_role(name: str, tokenizer_of: Any) -> None:
    from tinker_cookbook import renderers as cookbook

    tokenizer = tokenizer_of(name)
    messages: Any = [ASK, {"role": "assistant", "content": "!"}]
    ours = get_renderer(name, tokenizer).build_generation_prompt(messages, role="user")
    theirs = cookbook.get_renderer(name, tokenizer).build_generation_prompt(messages, role="user")
    assert ours.to_ints() == theirs.to_ints()


def result(**more: Any) -> Any:
    return {"role": "tool", "content": "22", **more}


def asked(*calls: ToolCall) -> Any:
    return {"role": "assistant", "content": "", "tool_calls": list(calls)}


OTHER = ToolCall(id="functions.g:1", function=ToolCall.FunctionBody(name="g", arguments="{}"))


def test_gpt_oss_finds_out_whose_result_it_is(tokenizer_of: Any) -> None:
    renderer = get_renderer("gpt_oss_low_reasoning", tokenizer_of("gpt_oss_low_reasoning"))
    named = renderer.prompt_tokens([ASK, asked(CALL), result(name="f")])
    assert renderer.prompt_tokens([ASK, asked(CALL), result()]) == named
    both = [ASK, asked(CALL, OTHER)]
    by_id = renderer.prompt_tokens([*both, result(tool_call_id="functions.g:1")])
    assert by_id == renderer.prompt_tokens([*both, result(name="g")])
    for messages in ([*both, result()], [ASK, result()]):
        with pytest.raises(RendererError, match="which tool it is from"):
            renderer.prompt_tokens(messages)


def test_kimi_finds_out_which_call_it_answers(tokenizer_of: Any) -> None:
    renderer = get_renderer("kimi_k2", tokenizer_of("kimi_k2"))
    named = renderer.prompt_tokens([ASK, asked(CALL), result(tool_call_id="functions.f:0")])
    assert renderer.prompt_tokens([ASK, asked(CALL), result()]) == named
    for messages in ([ASK, asked(CALL, OTHER), result()], [ASK, result()]):
        with pytest.raises(RendererError, match="which call it answers"):
            renderer.prompt_tokens(messages)


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"name": "f", "arguments": {"a": 1}}, "id": "functions.f:0"},
        {"function": {"name": "f", "arguments": '{"a": 1}'}, "id": "functions.f:0"},
        {"name": "f", "arguments": {"a": 1}, "id": "functions.f:0"},
    ],
)
@pytest.mark.parametrize("name", ["qwen3", "qwen3_5", "deepseekv3", "kimi_k2"])
def test_tool_calls_may_be_mappings(name: str, call: Any, tokenizer_of: Any) -> None:
    renderer = get_renderer(name, tokenizer_of(name))
    body = ToolCall.FunctionBody(name="f", arguments='{"a": 1}')
    wanted = renderer.prompt_tokens([ASK, asked(ToolCall(id="functions.f:0", function=body))])
    assert renderer.prompt_tokens([ASK, asked(call)]) == wanted


@pytest.mark.parametrize("call", [{"function": {}}, "f()", {"function": {"name": "f"}}])
def test_what_is_no_tool_call_is_an_error(call: Any, tokenizer_of: Any) -> None:
    renderer = get_renderer("qwen3", tokenizer_of("qwen3"))
    with pytest.raises(RendererError, match=r"proctor\.ToolCall"):
        renderer.prompt_tokens([ASK, asked(call)])


def test_arguments_that_are_no_json_are_an_error(tokenizer_of: Any) -> None:
    renderer = get_renderer("qwen3", tokenizer_of("qwen3"))
    body = ToolCall.FunctionBody(name="f", arguments="{")
    with pytest.raises(RendererError, match="'f' are no JSON"):
        renderer.prompt_tokens([ASK, asked(ToolCall(function=body))])
