"""What a prefill at the end of the prompt means for the answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proctor.renderers import Prompt, Termination, get_renderer, message_reasoning, message_text
from proctor.sampling.answers import AnswerReader

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


def test_an_answer_is_read_with_its_prefill_once(tokenizer_of: Any) -> None:
    """The renderer gets the prefill as the start of the answer, and a prompt without it.

    The core's renderers read the same from a prompt that still holds it: what a prefill opens or
    closes stands in the answer too. Others may not.
    """
    renderer = get_renderer("qwen3_5", tokenizer_of("qwen3_5"))
    question = [{"role": "user", "content": "?"}]
    prefill = "so\n</think>\n\nIt"
    prompt = list(renderer.prompt_tokens(question, prefill=prefill))
    start = tuple(renderer.prefill_tokens(prefill))
    sampled = renderer.tokenizer.encode(" is.<|im_end|>", add_special_tokens=False)
    seen: list[tuple[list[int], list[int]]] = []

    class Watched:
        def parse_response(self, tokens: list[int], prompt: list[int]) -> Any:
            seen.append((tokens, prompt))
            return renderer.parse_response(tokens, prompt=prompt)

    reader = AnswerReader(Watched(), renderer.tokenizer, (), start)
    sequence = SimpleNamespace(tokens=sampled, stop_reason="stop")
    sample = reader.read("a", 0, question, Prompt(prompt), sequence, 0.1)
    assert (sample.reasoning, sample.text, sample.status) == ("so", "It is.", "complete")
    assert seen == [([*start, *sampled], list(renderer.prompt_tokens(question)))]


def test_a_gpt_oss_prefill_needs_a_channel(tokenizer_of: Any) -> None:
    renderer = get_renderer("gpt_oss_low_reasoning", tokenizer_of("gpt_oss_low_reasoning"))
    with pytest.raises(ValueError, match="begin the prefill with"):
        renderer.prompt_tokens([{"role": "user", "content": "?"}], prefill="It is")
