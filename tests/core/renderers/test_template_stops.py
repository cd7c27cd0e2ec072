"""Where answers end by a template that doesn't say it, and templates with channels."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken

from proctor.errors import RendererError
from proctor.renderers import (
    Termination,
    get_renderer,
    message_reasoning,
    message_text,
    quick_check,
)

GLM = ("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
QUESTION: list[Any] = [{"role": "user", "content": "Capital of France?"}]


@pytest.fixture
def with_template(tokenizer_of: Any, chat_templates: dict[str, str]) -> Any:
    """A tokenizer with a template that trl ships, and the special tokens that it needs."""

    def make(template: str, special: tuple[str, ...], family: str = "qwen3") -> Any:
        tokenizer = copy.deepcopy(tokenizer_of(family))
        tokenizer.add_tokens([AddedToken(t, normalized=False, special=True) for t in special])
        tokenizer.chat_template = chat_templates[template]
        return tokenizer

    return make


@pytest.mark.parametrize("header", ["<|user|>", "<|observation|>"])
def test_glm_ends_an_answer_where_the_next_turn_begins(header: str, with_template: Any) -> None:
    tokenizer = with_template("glm4moe", GLM)
    renderer = get_renderer("chat_template", tokenizer)
    ids = tokenizer.convert_tokens_to_ids(["<|user|>", "<|observation|>"])
    end_of_text = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert renderer.get_stop_sequences() == [*ids, end_of_text]
    spelled = f"\n<think>Rome?</think>\nParis.{header}"
    tokens = tokenizer.encode(spelled, add_special_tokens=False)
    message, termination = renderer.parse_response(tokens)
    assert (message_reasoning(message), message_text(message).strip()) == ("Rome?", "Paris.")
    assert termination is Termination.STOP_SEQUENCE


def test_the_ends_of_the_generation_config_are_stops(tmp_path: Path, with_template: Any) -> None:
    tokenizer = with_template("qwen3", ("<|end_of_turn|>",))
    added = tokenizer.convert_tokens_to_ids("<|end_of_turn|>")
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    config = tmp_path / "generation_config.json"
    for content in ([end, added], added):
        config.write_text(json.dumps({"eos_token_id": content}), encoding="utf-8")
        tokenizer.name_or_path = str(tmp_path)
        renderer = get_renderer("chat_template", tokenizer)
        assert set(renderer.get_stop_sequences()) >= {end, added}
        answer = [*tokenizer.encode("Paris.", add_special_tokens=False), added]
        message, termination = renderer.parse_response(answer)
        assert (message_text(message), termination) == ("Paris.", Termination.STOP_SEQUENCE)
    for content in ("{", "[]", '{"eos_token_id": null}', '{"eos_token_id": ["a"]}'):
        config.write_text(content, encoding="utf-8")
        assert added not in get_renderer("chat_template", tokenizer).get_stop_sequences()


@pytest.mark.parametrize(
    ("template", "channel"), [("gptoss", "<|channel|>"), ("gemma4", "channel")]
)
def test_a_template_with_channels_is_refused_with_a_way_out(
    template: str, channel: str, with_template: Any
) -> None:
    tokenizer = with_template(template, (), "llama3")
    with pytest.raises(RendererError) as caught:
        get_renderer("chat_template", tokenizer)
    assert channel in str(caught.value)
    assert "gpt_oss_medium_reasoning" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_renderer_that_reads_channels_is_still_held_against_the_template(
    tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    tokenizer = copy.copy(tokenizer_of("gpt_oss_medium_reasoning"))
    tokenizer.chat_template = chat_templates["gptoss"]
    renderer = get_renderer("gpt_oss_medium_reasoning", tokenizer)
    assert quick_check(renderer, tokenizer) == []
    tokenizer.chat_template = tokenizer.chat_template.replace("Valid channels", "Channels")
    assert quick_check(renderer, tokenizer) != []
