"""Every renderer of the core reads each ending of one table as the table says."""

from __future__ import annotations

from typing import Any

import endings as table
import pytest

from proctor.plugins.active import plugin_manager
from proctor.renderers import BUILTIN, get_renderer, message_reasoning, message_text

NAMES = sorted(BUILTIN)
ENDINGS = [(name, shown) for name in NAMES if name in table.OF for shown in table.endings(name)]
QUESTION: Any = [{"role": "user", "content": "Capital of France?"}]


@pytest.fixture
def renderer_of(tokenizer_of: Any, base_tokenizer: Any, chat_tokenizer: Any) -> Any:
    tokenizers = {
        "chat_template": chat_tokenizer,
        "plain": base_tokenizer,
        "role_colon": base_tokenizer,
    }
    return lambda name: get_renderer(name, tokenizers.get(name) or tokenizer_of(name))


def test_every_renderer_is_in_the_table() -> None:
    registered = plugin_manager().registry.of_kind("renderer")
    own = {r.name for r in registered if r.distribution == "proctor"}
    assert own == set(NAMES)
    assert own <= table.OF.keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_prompt_opens_thinking_where_the_table_says_so(name: str, renderer_of: Any) -> None:
    renderer = renderer_of(name)
    prompt = renderer.codec.decode(renderer.prompt_tokens(QUESTION))
    assert prompt.rstrip().endswith("<think>") == (table.OF[name][1] == table.OPENS)


@pytest.mark.parametrize(("name", "shown"), ENDINGS)
def test_an_ending_is_read_as_the_table_says(name: str, shown: str, renderer_of: Any) -> None:
    ending = table.endings(name)[shown]
    renderer = renderer_of(name)
    tokens = renderer.tokenizer.encode(ending.spelled, add_special_tokens=False)
    for prompt in (None, renderer.prompt_tokens(QUESTION)):
        message, termination = renderer.parse_response(tokens, prompt=prompt)
        assert (message_text(message), message_reasoning(message)) == (
            ending.text,
            ending.reasoning,
        )
        assert str(termination) == ending.termination
        calls = [call.function.arguments for call in message.get("tool_calls", [])]
        assert calls == [table.ARGUMENTS] * ending.calls
        assert {c.function.name for c in message.get("tool_calls", [])} <= {"f"}
        assert len(message.get("unparsed_tool_calls", [])) == ending.unread
