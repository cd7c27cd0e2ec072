"""How answers end, for every renderer of tinker-cookbook's: the core's table, by their names."""

from __future__ import annotations

import copy
from typing import Any

import endings as table
import pytest

from proctor import message_reasoning, message_text
from proctor.plugins.active import plugin_manager
from proctor.renderers import BUILTIN, get_renderer
from proctor_cookbook import RENDERERS

ENDINGS = [(name, shown) for name in RENDERERS if name in table.OF for shown in table.endings(name)]
QUESTION: list[Any] = [{"role": "user", "content": "Capital of France?"}]


@pytest.fixture
def renderer_of(many_formats_tokenizer: Any, inkling_tokenizer: Any) -> Any:
    # a shallow copy shares the special tokens with all other tests
    base = copy.deepcopy(many_formats_tokenizer)
    base.eos_token = "<|end_of_text|>"
    tokenizers = {"role_colon": base, "tml_v0": inkling_tokenizer}

    def make(name: str) -> Any:
        return get_renderer(f"cookbook/{name}", tokenizers.get(name, many_formats_tokenizer))

    return make


def test_every_renderer_is_in_the_table_and_no_other() -> None:
    registered = plugin_manager().registry.of_kind("renderer")
    own = {r.name for r in registered if r.distribution == "proctor-cookbook"}
    assert own == {f"cookbook/{name}" for name in RENDERERS}
    assert set(RENDERERS) | BUILTIN.keys() == table.OF.keys()


@pytest.mark.parametrize("name", RENDERERS)
def test_the_prompt_opens_thinking_where_the_table_says_so(name: str, renderer_of: Any) -> None:
    renderer = renderer_of(name)
    prompt = renderer.codec.decode(renderer.prompt_tokens(QUESTION))
    assert prompt.rstrip().endswith("<think>") == (table.OF[name][1] == table.OPENS)


@pytest.mark.parametrize(("name", "shown"), ENDINGS)
def test_an_ending_is_read_as_the_table_says(
    name: str, shown: str, renderer_of: Any, inkling_tokens: Any
) -> None:
    ending = table.endings(name)[shown]
    renderer = renderer_of(name)
    if name == "tml_v0":
        tokens = inkling_tokens(ending.spelled)
    else:
        tokens = renderer.tokenizer.encode(ending.spelled, add_special_tokens=False)
    for prompt in (None, renderer.prompt_tokens(QUESTION)):
        message, termination = renderer.parse_response(tokens, prompt=prompt)
        # some of them keep line breaks around thinking and calls
        assert message_text(message).strip() == ending.text
        assert message_reasoning(message).strip() == ending.reasoning
        assert str(termination) == ending.termination
        calls = [call.function.arguments for call in message.get("tool_calls", [])]
        assert calls == [table.ARGUMENTS] * ending.calls
        assert {call.function.name for call in message.get("tool_calls", [])} <= {"f"}
        assert len(message.get("unparsed_tool_calls", [])) == ending.unread
