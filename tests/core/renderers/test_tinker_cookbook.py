"""Every renderer against tinker-cookbook's of the same name: prompts, stops, whole examples."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from tinker_cookbook import renderers as cookbook

from proctor.errors import RendererError
from proctor.renderers import BUILTIN, get_renderer

pytestmark = pytest.mark.filterwarnings("ignore:use_system_prompt=True")

ONLY_HERE = {"chat_template", "plain", "qwen3_6", "qwen3_6_disable_thinking"}
NAMES = sorted(BUILTIN.keys() - ONLY_HERE)
WITHOUT_TOOLS = ("llama3", "role_colon")
"""Formats that have no place for tools and thinking; tinker-cookbook leaves the tool calls out."""
AT_THE_END = {
    "answer at the end",
    "answer at the end and system",
    "a padded answer at the end",
    "a call at the end",
    "a call after text at the end",
    "answer at the end of a tool turn",
}
"""Conversations that end with an answer without thinking."""
QWEN3_8_THINKING = {
    "white space around thinking is taken off": {
        "padded thinking",
        "padded thinking at the end",
        "long thinking",
    },
    "pieces of thinking are one": {"two pieces of thinking"},
}
"""Where Qwen3.8's prompts have another text than tinker-cookbook's, by the reason."""
OTHER_TEXT = set().union(*QWEN3_8_THINKING.values())
EXAMPLES = {
    "deepseekv3": {"a sampled turn that only calls has an end": {"a call at the end"}},
    "deepseekv3_thinking": {"a sampled turn that only calls has an end": {"a call at the end"}},
    "qwen3_5": {
        "a line break at the thinking's start doesn't merge with the prompt's": {
            "padded thinking at the end"
        }
    },
    **{f"qwen3_8_{effort}_reasoning": QWEN3_8_THINKING for effort in ("low", "medium", "xhigh")},
    "qwen3_8_disable_thinking": {
        "the same in a prompt that closes the thinking": OTHER_TEXT - {"padded thinking at the end"}
    },
}
"""Whole examples that differ, by the reason."""


def has_no_place(name: str, messages: Any, all_conversations: ModuleType) -> bool:
    has_more = all_conversations.has_tools(messages) or all_conversations.has_thinking(messages)
    return name in WITHOUT_TOOLS and has_more


@pytest.fixture(params=NAMES)
def pair(request: pytest.FixtureRequest, tokenizer_of: Any) -> Any:
    """The name, our renderer and tinker-cookbook's, with one tokenizer."""
    name = request.param
    tokenizer = tokenizer_of(name)
    return name, get_renderer(name, tokenizer), cookbook.get_renderer(name, tokenizer)


@pytest.mark.parametrize("prefill", [None, "So"])
def test_prompts_are_equal(pair: Any, prefill: str | None, all_conversations: ModuleType) -> None:
    name, ours, theirs = pair
    if prefill and name.startswith("gpt_oss"):
        prefill = "<|channel|>final<|message|>So"
    if prefill and name == "role_colon":
        prefill = " So"
    equal, refused, differing, reworded = set(), set(), set(), set()
    for shown, messages in all_conversations.ALL.items():
        try:
            tokens = ours.build_generation_prompt(messages, prefill=prefill).to_ints()
        except RendererError:
            refused.add(shown)
            continue
        given = all_conversations.in_one_part(messages)
        wanted = theirs.build_generation_prompt(given, prefill=prefill).to_ints()
        (equal if tokens == wanted else differing).add(shown)
        if ours.codec.decode(tokens) != ours.codec.decode(wanted):
            reworded.add(shown)
    everything = all_conversations.ALL.items()
    assert refused == {s for s, m in everything if has_no_place(name, m, all_conversations)}
    in_one_piece = name.startswith("qwen3_8") and ours.opens_thinking
    assert reworded == (OTHER_TEXT if name.startswith("qwen3_8") else set())
    assert differing == reworded | (AT_THE_END if in_one_piece else set())
    assert len(equal) >= 60
    tools_wanted = 0 if name in WITHOUT_TOOLS else 20
    assert len(equal & all_conversations.TOOL_USE.keys()) >= tools_wanted


def test_a_batch_gives_the_prompts_of_its_conversations(
    pair: Any, all_conversations: ModuleType
) -> None:
    name, ours, theirs = pair
    plain = all_conversations.PLAIN
    batch = [plain[n] for n in plain if n not in AT_THE_END or "qwen3_8" not in name]
    given = map(all_conversations.in_one_part, batch)
    wanted = [theirs.build_generation_prompt(messages).to_ints() for messages in given]
    assert ours.prompt_tokens_batch(batch) == wanted


def test_stop_sequences_are_equal(pair: Any) -> None:
    _, ours, theirs = pair
    assert ours.get_stop_sequences() == theirs.get_stop_sequences()


def test_a_prompt_with_its_answer_is_a_supervised_example(
    pair: Any, all_conversations: ModuleType
) -> None:
    name, ours, theirs = pair
    closes_thinking = name.endswith("disable_thinking") or name == "deepseekv3"
    equal, differing = 0, set()
    for shown, messages in all_conversations.ALL.items():
        if has_no_place(name, messages, all_conversations):
            continue
        if messages[-1]["role"] != "assistant":
            messages = [*messages, {"role": "assistant", "content": "The end."}]
        prompt = ours.prompt_tokens(messages[:-1])
        if closes_thinking and all_conversations.has_thinking(messages[-1:]):
            with pytest.raises(RendererError, match="closes the thinking"):
                ours.answer_tokens(messages[-1], prompt=prompt)
            continue
        given = all_conversations.in_one_part(messages)
        whole = theirs.build_supervised_example(given)[0].to_ints()
        if prompt + ours.answer_tokens(messages[-1], prompt=prompt) == whole:
            equal += 1
        else:
            differing.add(shown)
    assert differing == set().union(*EXAMPLES.get(name, {}).values())
    assert equal >= 60


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
