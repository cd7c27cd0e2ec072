"""What a prefill at the end of the prompt means for the answer."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.renderers import Termination, get_renderer, message_reasoning, message_text

CLEAN = Termination.STOP_SEQUENCE


@pytest.mark.parametrize(
    ("name", "prefill", "rest", "reasoning", "text"),
    [
        ("llama3", "It is", " Paris.<|eot_id|>", "", "It is Paris."),
        ("qwen3", "It is", " Paris.<|im_end|>", "", "It is Paris."),
        ("qwen3", "<think>\nso", " on\n</think>\n\nP<|im_end|>", "so on", "P"),
        ("qwen3_5", "so", " on\n</think>\n\nP<|im_end|>", "so on", "P"),
        ("qwen3_5", "so\n</think>\n\nIt", " is<|im_end|>", "so", "It is"),
        (
            "gpt_oss_low_reasoning",
            "<|channel|>final<|message|>It",
            " is<|return|>",
            "",
            "It is",
        ),
    ],
)
def test_a_prefill_is_the_start_of_the_answer(
    name: str, prefill: str, rest: str, reasoning: str, text: str, tokenizer_of: Any
) -> None:
    renderer = get_renderer(name, tokenizer_of(name))
    prompt = renderer.prompt_tokens([{"role": "user", "content": "?"}], prefill=prefill)
    sampled = renderer.tokenizer.encode(rest, add_special_tokens=False)
    for options in ({"prompt": prompt}, {}):
        message, termination = renderer.parse_response(sampled, prefill=prefill, **options)
        assert (message_reasoning(message), message_text(message)) == (reasoning, text)
        assert termination is CLEAN


def test_without_the_prefill_the_message_is_what_was_sampled(tokenizer_of: Any) -> None:
    renderer = get_renderer("llama3", tokenizer_of("llama3"))
    sampled = renderer.tokenizer.encode(" Paris.<|eot_id|>", add_special_tokens=False)
    assert renderer.parse_response(sampled)[0]["content"] == " Paris."


def test_the_prompt_tells_that_a_prefill_closed_the_thinking(tokenizer_of: Any) -> None:
    renderer = get_renderer("qwen3_5", tokenizer_of("qwen3_5"))
    question = [{"role": "user", "content": "?"}]
    prompt = renderer.prompt_tokens(question, prefill="\n</think>\n\nIt")
    sampled = renderer.tokenizer.encode(" is.<|im_end|>", add_special_tokens=False)
    assert renderer.parse_response(sampled, prompt=prompt) == (
        {"role": "assistant", "content": " is."},
        CLEAN,
    )


def test_a_gpt_oss_prefill_needs_a_channel(tokenizer_of: Any) -> None:
    renderer = get_renderer("gpt_oss_low_reasoning", tokenizer_of("gpt_oss_low_reasoning"))
    with pytest.raises(ValueError, match="begin the prefill with"):
        renderer.prompt_tokens([{"role": "user", "content": "?"}], prefill="It is")
