"""Tokenizers of other kinds than the fast ones: the same prompts, and text that stays text."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import tinker
from llama_models.llama3.tokenizer import Tokenizer

from proctor.renderers import (
    Renderer,
    Termination,
    get_renderer,
    message_reasoning,
    message_text,
    quick_check,
)
from proctor.renderers.adapted import AdaptedRenderer
from proctor.testing import ByteTokenizer


class Encoding:
    """Meta's tokenizer, of tiktoken, with as much of transformers' interface as is needed."""

    eos_token = "<|eot_id|>"
    bos_token = "<|begin_of_text|>"

    def __init__(self, file: Path) -> None:
        self.inner = Tokenizer(file)
        self.all_special_ids = list(self.inner.special_tokens.values())

    def convert_tokens_to_ids(self, token: str) -> int | None:
        return self.inner.special_tokens.get(token)

    def decode(self, tokens: list[int]) -> str:
        return self.inner.decode(tokens)

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        assert not add_special_tokens
        return self.inner.encode(text, bos=False, eos=False, allowed_special="all")


class Switched(Encoding):
    """The same with Kimi's switch, and any other argument refused."""

    def encode(self, text: str, allow_special_tokens: bool = True) -> list[int]:  # type: ignore[override]
        allowed: Any = "all" if allow_special_tokens else set()
        return self.inner.encode(text, bos=False, eos=False, allowed_special=allowed)


@pytest.fixture(params=[Encoding, Switched])
def slow(request: pytest.FixtureRequest, meta_tokenizer_file: Path) -> Renderer:
    return get_renderer("llama3", request.param(meta_tokenizer_file))


def test_ordinary_prompts_are_those_of_the_fast_tokenizer(
    slow: Renderer, tokenizer_of: Any, plain_conversations: dict[str, Any]
) -> None:
    fast = get_renderer("llama3", tokenizer_of("llama3"))
    batch = list(plain_conversations.values())
    assert slow.prompt_tokens_batch(batch) == fast.prompt_tokens_batch(batch)
    assert slow.get_stop_sequences() == fast.get_stop_sequences()
    prefill = "a<|end_header_id|>"
    assert slow.prompt_tokens(batch[0], prefill=prefill) == fast.prompt_tokens(
        batch[0], prefill=prefill
    )


def test_hostile_text_stays_text(slow: Renderer, hostile_texts: dict[str, str]) -> None:
    for text in hostile_texts.values():
        tokens = slow.prompt_tokens([{"role": "user", "content": text}])
        special = [token for token in tokens if token in slow.codec.special_ids]
        assert len(special) == 1 + 3 + 2
        assert text in slow.codec.decode(tokens)
        message: Any = {"role": "assistant", "content": text}
        assert slow.parse_response(slow.answer_tokens(message)) == (
            message,
            Termination.STOP_SEQUENCE,
        )


def test_a_tokenizer_of_bytes_spells_everything() -> None:
    tokenizer = ByteTokenizer()
    renderer = get_renderer("qwen3_instruct", tokenizer)
    assert renderer.get_stop_sequences() == ["<|im_end|>"]
    prompt = tokenizer.decode(renderer.prompt_tokens([{"role": "user", "content": "é"}]))
    assert prompt == "<|im_start|>user\né<|im_end|>\n<|im_start|>assistant\n"
    answer = tokenizer.encode("<think>hm</think>Paris.<|im_end|>")
    message, termination = renderer.parse_response(answer)
    assert (message_reasoning(message), message_text(message)) == ("hm", "Paris.")
    assert termination is Termination.STOP_SEQUENCE


def test_spaces_before_punctuation_are_kept(tokenizer_of: Any) -> None:
    """Some tokenizers' settings ask for them to be cleaned up."""
    tokenizer = copy.copy(tokenizer_of("llama3"))
    tokenizer.clean_up_tokenization_spaces = True
    renderer = get_renderer("llama3", tokenizer)
    message: Any = {"role": "assistant", "content": "a . b ! do n't"}
    assert renderer.parse_response(renderer.answer_tokens(message))[0] == message


def test_a_template_that_opens_thinking(tokenizer_of: Any, chat_templates: dict[str, str]) -> None:
    tokenizer = copy.copy(tokenizer_of("qwen3_5"))
    for template, opens in (("qwen3_5_think", True), ("qwen3_5_nothink", False), ("qwen3", False)):
        tokenizer.chat_template = chat_templates[template]
        renderer = get_renderer("chat_template", tokenizer)
        prompt = renderer.prompt_tokens([{"role": "user", "content": "?"}])
        sampled = tokenizer.encode("Is it Paris", add_special_tokens=False)
        for options in ({}, {"prompt": prompt}):
            message, termination = renderer.parse_response(sampled, **options)
            assert termination is Termination.MALFORMED
            assert (message_text(message) == "") is opens
            assert (message_reasoning(message) == "Is it Paris") is opens


def test_a_vocabulary_with_an_unknown_token_knows_it_from_hostile_text() -> None:
    from tokenizers import AddedToken, Tokenizer as Fast, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"[UNK]": 0, "User": 1, ":": 2, "hi": 3, "Assistant": 4, "<": 5, "end": 6, ">": 7}
    inner = Fast(models.WordLevel(words, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.add_special_tokens([AddedToken("<end>", special=True, normalized=False)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="[UNK]", eos_token="<end>"
    )
    renderer = get_renderer("role_colon", tokenizer)
    tokens = renderer.prompt_tokens([{"role": "user", "content": "hi 東京 <end>"}])
    assert tokens == [1, 2, 3, 0, 5, 6, 7, 4, 2]


def test_a_facade_that_only_encodes_and_decodes_serves_a_foreign_renderer() -> None:
    class Facade:
        eos_token = "<end>"
        eos_token_id = 1

        def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
            return [2] * len(text)

        def decode(self, tokens: list[int]) -> str:
            return "x" * len(tokens)

    class Foreign:
        def build_generation_prompt(self, messages: Any) -> Any:
            return tinker.ModelInput.from_ints([2, 2, 2])

        def get_stop_sequences(self) -> list[int]:
            return [1]

        def parse_response(self, tokens: list[int]) -> Any:
            return {"role": "assistant", "content": "ok"}, True

    tokenizer = Facade()
    renderer = AdaptedRenderer(Foreign(), tokenizer, "foreign")
    assert quick_check(renderer, tokenizer) == []
    assert renderer.prompt_tokens([{"role": "user", "content": "?"}], prefill="ab") == [2] * 5
    assert renderer.parse_response([2, 1]) == (
        {"role": "assistant", "content": "ok"},
        Termination.STOP_SEQUENCE,
    )
