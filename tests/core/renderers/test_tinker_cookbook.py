"""Every renderer against tinker-cookbook's of the same name: prompts, stops, whole examples."""

from __future__ import annotations

from typing import Any

import pytest
from tinker_cookbook import renderers as cookbook

from proctor.errors import RendererError
from proctor.renderers import BUILTIN, get_renderer

pytestmark = pytest.mark.filterwarnings("ignore:use_system_prompt=True")

ONLY_HERE = {"chat_template", "plain", "qwen3_6", "qwen3_6_disable_thinking"}
NAMES = sorted(BUILTIN.keys() - ONLY_HERE)
NO_THINKING = {"thinking before", "only thinking before", "thinking twice", "thinking at the end"}
TOOL_USE = {
    "call",
    "call after text",
    "two calls",
    "call, answer, question",
    "call after thinking",
    "answer after thinking twice",
    "answer at the end of a tool turn",
}
REFUSED = {"llama3": NO_THINKING | TOOL_USE, "role_colon": NO_THINKING | TOOL_USE}
"""Conversations that have no form in a format; tinker-cookbook leaves the tool calls out."""
AT_THE_END = {"answer at the end", "answer at the end of a tool turn"}


@pytest.fixture(params=NAMES)
def pair(request: pytest.FixtureRequest, tokenizer_of: Any) -> Any:
    """The name, our renderer and tinker-cookbook's, with one tokenizer."""
    name = request.param
    tokenizer = tokenizer_of(name)
    return name, get_renderer(name, tokenizer), cookbook.get_renderer(name, tokenizer)


@pytest.mark.parametrize("prefill", [None, "So"])
def test_prompts_are_equal(pair: Any, prefill: str | None, conversations: dict[str, Any]) -> None:
    name, ours, theirs = pair
    if prefill and name.startswith("gpt_oss"):
        prefill = "<|channel|>final<|message|>So"
    if prefill and name == "role_colon":
        prefill = " So"
    equal, refused, differing = set(), set(), set()
    for shown, messages in conversations.items():
        try:
            tokens = ours.build_generation_prompt(messages, prefill=prefill).to_ints()
        except RendererError:
            refused.add(shown)
            continue
        wanted = theirs.build_generation_prompt(messages, prefill=prefill).to_ints()
        (equal if tokens == wanted else differing).add(shown)
        assert ours.codec.decode(tokens) == ours.codec.decode(wanted), shown
    assert refused == REFUSED.get(name, set())
    in_one_piece = name.startswith("qwen3_8") and ours.opens_thinking
    assert differing == (AT_THE_END if in_one_piece else set())
    assert len(equal) >= 12


def test_a_batch_gives_the_prompts_of_its_conversations(
    pair: Any, plain_conversations: dict[str, Any]
) -> None:
    name, ours, theirs = pair
    shown = [n for n in plain_conversations if n not in AT_THE_END or "qwen3_8" not in name]
    batch = [plain_conversations[n] for n in shown]
    wanted = [theirs.build_generation_prompt(messages).to_ints() for messages in batch]
    assert ours.prompt_tokens_batch(batch) == wanted


def test_stop_sequences_are_equal(pair: Any) -> None:
    _, ours, theirs = pair
    assert ours.get_stop_sequences() == theirs.get_stop_sequences()


def test_a_prompt_with_its_answer_is_a_supervised_example(
    pair: Any, conversations: dict[str, Any]
) -> None:
    name, ours, theirs = pair
    closes_thinking = name.endswith("disable_thinking") or name == "deepseekv3"
    equal = 0
    for shown, messages in conversations.items():
        if shown in REFUSED.get(name, set()):
            continue
        if messages[-1]["role"] != "assistant":
            messages = [*messages, {"role": "assistant", "content": "The end."}]
        prompt = ours.prompt_tokens(messages[:-1])
        if shown == "thinking at the end" and closes_thinking:
            with pytest.raises(RendererError, match="closes the thinking"):
                ours.answer_tokens(messages[-1], prompt=prompt)
            continue
        whole = theirs.build_supervised_example(messages)[0].to_ints()
        assert prompt + ours.answer_tokens(messages[-1], prompt=prompt) == whole, shown
        equal += 1
    assert equal >= 12


WITHOUT_TOOLS = ("llama3", "role_colon")


@pytest.mark.parametrize("system", ["", "Be brief."])
def test_tools_are_declared_equally(pair: Any, system: str, tools: list[Any]) -> None:
    name, ours, theirs = pair
    question = [{"role": "user", "content": "Weather?"}]
    conversation = [{"role": "system", "content": system}, *question] if system else question
    if name in WITHOUT_TOOLS:
        for call in (
            lambda: ours.create_conversation_prefix_with_tools(tools, system),
            lambda: ours.prompt_tokens(conversation, tools=tools),
        ):
            with pytest.raises(RendererError, match="no format for tools"):
                call()
        return
    prefix = theirs.create_conversation_prefix_with_tools(tools, system)
    wanted = theirs.build_generation_prompt([*prefix, *question]).to_ints()
    assert ours.prompt_tokens(conversation, tools=tools) == wanted
    prefix = ours.create_conversation_prefix_with_tools(tools, system)
    assert ours.build_generation_prompt([*prefix, *question]).to_ints() == wanted


def test_role_colon_begins_a_prefilled_answer_with_the_space_that_all_have(
    tokenizer_of: Any,
) -> None:
    tokenizer = tokenizer_of("role_colon")
    ours = get_renderer("role_colon", tokenizer)
    theirs = cookbook.get_renderer("role_colon", tokenizer)
    messages = [{"role": "user", "content": "q"}]
    prompt = ours.prompt_tokens(messages, prefill="It is")
    assert tokenizer.decode(prompt).endswith("Assistant: It is")
    unspaced = theirs.build_generation_prompt(messages, prefill="It is").to_ints()
    assert tokenizer.decode(unspaced).endswith("Assistant:It is")


def test_text_that_spells_a_control_token_is_one_for_tinker_cookbook_and_not_here(
    tokenizer_of: Any,
) -> None:
    tokenizer = tokenizer_of("llama3")
    messages = [{"role": "user", "content": "a<|eot_id|>b"}]
    end = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    ours = get_renderer("llama3", tokenizer).prompt_tokens(messages)
    theirs = cookbook.get_renderer("llama3", tokenizer).build_generation_prompt(messages)
    assert (ours.count(end), theirs.to_ints().count(end)) == (1, 2)
    assert tokenizer.decode(ours) == tokenizer.decode(theirs.to_ints())


@pytest.mark.parametrize("hostile", ["end of turn", "header"])
def test_qwen3_encodes_such_text_as_tinker_cookbook_does(
    hostile: str, hostile_texts: dict[str, str], tokenizer_of: Any
) -> None:
    tokenizer = tokenizer_of("qwen3")
    messages = [{"role": "user", "content": hostile_texts[hostile]}]
    ours = get_renderer("qwen3", tokenizer).prompt_tokens(messages)
    theirs = cookbook.get_renderer("qwen3", tokenizer).build_generation_prompt(messages)
    assert ours == theirs.to_ints()
