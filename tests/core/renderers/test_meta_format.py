"""Llama 3 against Meta's own tokenizer and chat format."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from llama_models.datatypes import RawMessage
from llama_models.llama3.chat_format import ChatFormat
from llama_models.llama3.tokenizer import Tokenizer

from proctor.renderers import Renderer, get_renderer


@pytest.fixture(scope="module")
def meta(meta_tokenizer_file: Path) -> ChatFormat:
    return ChatFormat(Tokenizer(meta_tokenizer_file))


@pytest.fixture
def llama3(tokenizer_of: Any) -> Renderer:
    return get_renderer("llama3", tokenizer_of("llama3"))


def meta_tokens(meta: ChatFormat, messages: Any) -> list[int]:
    raw = [RawMessage(role=m["role"], content=m["content"]) for m in messages]
    return list(meta.encode_dialog_prompt(raw).tokens)


def test_prompts_are_equal(
    meta: ChatFormat, llama3: Renderer, all_conversations: ModuleType
) -> None:
    shown = all_conversations.PLAIN | all_conversations.PADDED
    for name, messages in shown.items():
        theirs = meta_tokens(meta, all_conversations.in_one_part(messages))
        assert llama3.prompt_tokens(messages) == theirs, name
    assert len(shown) >= 60


def test_hostile_text_has_the_tokens_that_meta_gives_it(
    meta: ChatFormat, llama3: Renderer, hostile_texts: dict[str, str]
) -> None:
    for text in hostile_texts.values():
        messages = [{"role": "system", "content": text}, {"role": "user", "content": f"x {text}"}]
        assert llama3.prompt_tokens(messages) == meta_tokens(meta, messages)


def test_the_stop_token_is_one_of_metas(meta: ChatFormat, llama3: Renderer) -> None:
    assert llama3.get_stop_sequences() == [meta.tokenizer.eot_id]
    assert meta.tokenizer.eot_id in meta.tokenizer.stop_tokens
