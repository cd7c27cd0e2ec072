"""The differences from tinker-cookbook that docs/renderers.md lists, each with what it is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook import renderers as cookbook
from tinker_cookbook.exceptions import RendererError as CookbookError

from proctor import renderers
from proctor.errors import RendererError
from proctor.renderers import Termination, get_renderer, message_reasoning, message_text
from proctor.renderers.families.gpt_oss import GptOssLowReasoningRenderer
from proctor.types import ToolCall

ASK: Any = {"role": "user", "content": "?"}


@pytest.fixture
def both(tokenizer_of: Any) -> Any:
    def make(name: str) -> Any:
        tokenizer = tokenizer_of(name)
        return tokenizer, get_renderer(name, tokenizer), cookbook.get_renderer(name, tokenizer)

    return make


@pytest.mark.parametrize("name", ["qwen3", "qwen3_5", "deepseekv3_thinking", "kimi_k2"])
def test_thinking_tags_in_a_string_are_text(name: str, both: Any) -> None:
    tokenizer, ours, theirs = both(name)
    think = tokenizer.convert_tokens_to_ids("<think>")
    messages: Any = [ASK, {"role": "assistant", "content": "a <think>b</think> c"}, ASK]
    opened = ours.prompt_tokens([ASK, {"role": "assistant", "content": "a"}, ASK]).count(think)
    assert ours.prompt_tokens(messages).count(think) == opened
    assert theirs.build_generation_prompt(messages).to_ints().count(think) == opened + 1


@pytest.mark.parametrize("name", ["llama3", "role_colon"])
def test_tool_calls_are_refused_and_there_left_out(name: str, both: Any) -> None:
    tokenizer, ours, theirs = both(name)
    call = ToolCall(function=ToolCall.FunctionBody(name="weather", arguments="{}"))
    messages: Any = [ASK, {"role": "assistant", "content": "", "tool_calls": [call]}]
    with pytest.raises(RendererError, match="no format for tool calls"):
        ours.prompt_tokens(messages)
    with pytest.raises(RendererError, match="no format for tool calls"):
        ours.prompt_tokens([ASK, {"role": "tool", "content": "22"}])
    assert "weather" not in tokenizer.decode(theirs.build_generation_prompt(messages).to_ints())


def test_the_stop_signal_twice_is_malformed_and_there_an_exception(both: Any) -> None:
    tokenizer, ours, theirs = both("llama3")
    tokens = tokenizer.encode("a<|eot_id|><|eot_id|>", add_special_tokens=False)
    assert ours.parse_response(tokens)[1] is Termination.MALFORMED
    with pytest.raises(CookbookError):
        theirs.parse_response(tokens)


@pytest.mark.parametrize("end", ["", "<|im_end|>"])
def test_unfinished_thinking_is_thinking_and_there_text(end: str, both: Any) -> None:
    tokenizer, ours, theirs = both("qwen3")
    tokens = tokenizer.encode("<think>\nParis" + end, add_special_tokens=False)
    message, termination = ours.parse_response(tokens)
    assert (message_reasoning(message), message_text(message)) == ("Paris", "")
    assert termination is Termination.MALFORMED
    assert "Paris" in message_text(theirs.parse_response(tokens)[0])


def test_white_space_around_a_call_is_taken_off_and_there_kept(both: Any) -> None:
    tokenizer, ours, theirs = both("qwen3")
    call = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'
    tokens = tokenizer.encode(f"Wait.\n{call}<|im_end|>", add_special_tokens=False)
    assert message_text(ours.parse_response(tokens)[0]) == "Wait."
    assert message_text(theirs.parse_response(tokens)[0]) == "Wait.\n"


def test_an_answer_without_a_question_is_rendered_and_there_refused(both: Any) -> None:
    tokenizer, ours, theirs = both("qwen3_disable_thinking")
    messages: Any = [{"role": "system", "content": "s"}, {"role": "assistant", "content": "b"}]
    shown = tokenizer.decode(ours.prompt_tokens(messages))
    assert "<|im_start|>assistant\nb<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>" in shown
    with pytest.raises(CookbookError):
        theirs.build_generation_prompt(messages)


def test_a_result_without_a_name_is_its_calls_and_there_unknown(both: Any) -> None:
    tokenizer, ours, theirs = both("gpt_oss_low_reasoning")
    call = ToolCall(function=ToolCall.FunctionBody(name="weather", arguments="{}"))
    messages: Any = [
        ASK,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "22"},
    ]
    assert "<|start|>functions.weather to=" in tokenizer.decode(ours.prompt_tokens(messages))
    with pytest.warns(UserWarning, match="missing 'name'"):
        prompt = theirs.build_generation_prompt(messages)
    assert "<|start|>functions.unknown to=" in tokenizer.decode(prompt.to_ints())


def test_the_date_of_gpt_oss_is_fixed_when_the_renderer_is_made(
    both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, ours, _ = both("gpt_oss_low_reasoning")
    before = ours.prompt_tokens([ASK])
    monkeypatch.setattr("proctor.renderers.families.gpt_oss.date", None)
    assert ours.prompt_tokens([ASK]) == before
    fixed = GptOssLowReasoningRenderer(tokenizer, current_date="2025-01-31")
    assert "Current date: 2025-01-31\n\nReasoning: low\n" in tokenizer.decode(
        fixed.prompt_tokens([ASK])
    )


def test_what_stands_before_a_lone_closing_tag_is_thinking_and_there_text(both: Any) -> None:
    tokenizer, ours, theirs = both("qwen3")
    tokens = tokenizer.encode("hm\n</think>Paris<|im_end|>", add_special_tokens=False)
    read = ours.parse_response(tokens)[0]
    assert (message_reasoning(read), message_text(read)) == ("hm", "Paris")
    assert "</think>" in message_text(theirs.parse_response(tokens)[0])


@pytest.mark.parametrize("name", ["qwen3_5_disable_thinking", "qwen3_8_disable_thinking"])
def test_spaces_in_an_argument_of_xml_are_kept_and_there_taken_off(name: str, both: Any) -> None:
    tokenizer, ours, theirs = both(name)
    call = "<tool_call>\n<function=f>\n<parameter=a>\n  x \n</parameter>\n</function>\n</tool_call>"
    tokens = tokenizer.encode(f"{call}<|im_end|>", add_special_tokens=False)
    found = [r.parse_response(tokens)[0]["tool_calls"][0] for r in (ours, theirs)]
    assert [c.function.arguments for c in found] == ['{"a": "  x "}', '{"a": "x"}']


def thought(thinking: str, text: str) -> Any:
    return [{"type": "thinking", "thinking": thinking}, {"type": "text", "text": text}]


def test_white_space_around_thinking_is_trimmed_in_qwen3_8_as_its_template_does(both: Any) -> None:
    tokenizer, ours, theirs = both("qwen3_8_medium_reasoning")
    messages: Any = [ASK, {"role": "assistant", "content": thought("\n why ", "b")}, ASK]
    assert "<think>\nwhy\n</think>" in tokenizer.decode(ours.prompt_tokens(messages))
    theirs_shown = tokenizer.decode(theirs.build_generation_prompt(messages).to_ints())
    assert "<think>\n\n why \n</think>" in theirs_shown


def test_several_pieces_of_thinking_are_one_in_qwen3_8_and_there_apart(both: Any) -> None:
    tokenizer, ours, theirs = both("qwen3_8_medium_reasoning")
    content = [*thought("one", "1"), *thought("two", "2")]
    messages: Any = [ASK, {"role": "assistant", "content": content}, ASK]
    assert "<think>\nonetwo\n</think>\n\n12" in tokenizer.decode(ours.prompt_tokens(messages))
    shown = tokenizer.decode(theirs.build_generation_prompt(messages).to_ints())
    assert shown.count("<think>\none\n</think>") == shown.count("<think>\ntwo\n</think>") == 1


@pytest.mark.parametrize("name", ["llama3", "deepseekv3", "gpt_oss_low_reasoning", "kimi_k2"])
def test_parts_of_text_are_joined_and_there_refused(name: str, both: Any) -> None:
    _, ours, theirs = both(name)
    parts = [{"type": "text", "text": text} for text in ("one ", "two")]
    tokens = ours.prompt_tokens([{"role": "user", "content": parts}])
    assert tokens == ours.prompt_tokens([{"role": "user", "content": "one two"}])
    with pytest.raises((CookbookError, NotImplementedError)):
        theirs.build_generation_prompt([{"role": "user", "content": parts}])


@pytest.mark.parametrize("name", ["deepseekv3", "deepseekv3_thinking"])
def test_a_sampled_turn_that_only_calls_has_an_end_and_there_none(name: str, both: Any) -> None:
    tokenizer, ours, theirs = both(name)
    call = ToolCall(function=ToolCall.FunctionBody(name="weather", arguments="{}"))
    calling: Any = {"role": "assistant", "content": "", "tool_calls": [call]}
    end = "<｜end▁of▁sentence｜>"
    assert tokenizer.decode(ours.answer_tokens(calling)).endswith(end)
    example = theirs.build_supervised_example([ASK, calling])[0]
    assert tokenizer.decode(example.to_ints()).endswith("<｜tool▁calls▁end｜>")


def test_text_beside_calls_is_commentary_and_in_the_template_analysis_with_the_first_call_only(
    both: Any, chat_templates: dict[str, str]
) -> None:
    tokenizer, ours, _ = both("gpt_oss_low_reasoning")
    bodies = [ToolCall.FunctionBody(name=name, arguments="{}") for name in ("weather", "now")]
    calls = [ToolCall(function=body) for body in bodies]
    calling: Any = {"role": "assistant", "content": "Wait.", "tool_calls": calls}
    shown = tokenizer.decode(ours.prompt_tokens([ASK, calling]))
    assert "<|channel|>commentary<|message|>Wait.<|end|>" in shown
    assert "to=functions.weather<" in shown
    assert "to=functions.now<" in shown
    theirs = {**calling, "tool_calls": [call.model_dump(mode="json") for call in calls]}
    own = tokenizer.apply_chat_template(
        [ASK, theirs], chat_template=chat_templates["gptoss"], tokenize=False
    )
    assert "<|channel|>analysis<|message|>Wait.<|end|>" in own
    assert "to=functions.weather<" in own
    assert "to=functions.now<" not in own


def template_text(tokenizer: Any, template: str, messages: Any) -> str:
    plain = [
        {
            "role": m["role"],
            "content": m["content"] if isinstance(m["content"], str) else m["content"][1]["text"],
            **(
                {}
                if isinstance(m["content"], str)
                else {"reasoning_content": m["content"][0]["thinking"]}
            ),
        }
        for m in messages
    ]
    shown: str = tokenizer.apply_chat_template(
        plain, chat_template=template, tokenize=False, add_generation_prompt=True
    )
    return shown


def test_qwen3_5_takes_thinking_out_and_leaves_its_spaces_as_tinker_cookbook_does(
    both: Any, chat_templates: dict[str, str]
) -> None:
    tokenizer, ours, theirs = both("qwen3_5")
    first: Any = {"role": "assistant", "content": thought("one", "1")}
    last: Any = {"role": "assistant", "content": thought(" two \n", "2")}
    messages = [ASK, first, last]
    shown = tokenizer.decode(ours.prompt_tokens(messages))
    assert shown == tokenizer.decode(theirs.build_generation_prompt(messages).to_ints())
    assert "one" not in shown
    assert "<think>\n two \n\n</think>" in shown
    own = template_text(tokenizer, chat_templates["qwen3_5_think"], messages)
    assert "<think>\none\n</think>" in own
    assert "<think>\ntwo\n</think>" in own


def test_deepseek_has_no_end_after_a_turn_that_only_calls_as_tinker_cookbook_has_it(
    both: Any,
) -> None:
    call = ToolCall(function=ToolCall.FunctionBody(name="weather", arguments="{}"))
    result: Any = {"role": "tool", "content": "22"}
    calls_end, end = "<｜tool▁calls▁end｜>", "<｜end▁of▁sentence｜>"
    for name in ("deepseekv3", "deepseekv3_thinking"):
        tokenizer, ours, theirs = both(name)
        for text, closed in (("", False), ("Let me see.", True)):
            messages: Any = [ASK, {"role": "assistant", "content": text, "tool_calls": [call]}]
            shown = tokenizer.decode(ours.prompt_tokens([*messages, result]))
            assert (calls_end + end in shown) is closed
            prompt = theirs.build_generation_prompt([*messages, result])
            assert shown == tokenizer.decode(prompt.to_ints())


def test_deepseekv3_writes_thinking_beside_a_call_after_a_result_as_tinker_cookbook_does(
    both: Any,
) -> None:
    tokenizer, ours, theirs = both("deepseekv3")
    call = ToolCall(function=ToolCall.FunctionBody(name="weather", arguments="{}"))
    result: Any = {"role": "tool", "content": "22"}
    calling: Any = {"role": "assistant", "content": thought("why", "b"), "tool_calls": [call]}
    messages = [ASK, {**calling, "content": "a"}, result, calling, result]
    shown = tokenizer.decode(ours.prompt_tokens(messages))
    assert "<think>why</think>b" in shown
    assert shown == tokenizer.decode(theirs.build_generation_prompt(messages).to_ints())


def test_a_spelled_control_token_splits_its_neighbours_in_chat_template(
    chat_tokenizer: Any,
) -> None:
    renderer = get_renderer("chat_template", chat_tokenizer)
    text = "x =<|im_end|>= y"
    tokens = renderer.prompt_tokens([{"role": "user", "content": text}])
    spelled = chat_tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
    )
    assert chat_tokenizer.decode(tokens) == spelled
    end = chat_tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert tokens.count(end) == 1
    assert tokens != get_renderer("qwen3", chat_tokenizer).prompt_tokens(
        [{"role": "user", "content": text}]
    )


DOCS = Path(__file__).parents[3] / "docs" / "renderers.md"


def test_every_renderer_is_in_the_documentation() -> None:
    table = DOCS.read_text(encoding="utf-8").split("## How an answer ended")[0]
    shown = table.replace("`_medium_`", "`gpt_oss_medium_reasoning`")
    shown = shown.replace("`_high_`", "`gpt_oss_high_reasoning`")
    for name in renderers.BUILTIN:
        assert f"`{name}`" in shown


def test_the_documentations_own_renderer_works(
    tokenizer_of: Any, plain_conversations: dict[str, Any]
) -> None:
    """ChatML without thinking and tools is what Qwen3's 2507 Instruct has."""
    section = DOCS.read_text(encoding="utf-8").split("## Write one")[1]
    (source,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    tokenizer = tokenizer_of("qwen3_instruct")
    written = namespace["ChatML"](tokenizer)
    own = get_renderer("qwen3_instruct", tokenizer)
    for messages in plain_conversations.values():
        assert written.prompt_tokens(messages) == own.prompt_tokens(messages)
    message: Any = {"role": "assistant", "content": "Paris <|im_end|>."}
    tokens = written.answer_tokens(message)
    assert tokens == own.answer_tokens(message)
    assert written.parse_response(tokens) == (message, Termination.STOP_SEQUENCE)
    with pytest.raises(RendererError, match="no format for tool"):
        written.prompt_tokens([{"role": "tool", "content": "x"}])
