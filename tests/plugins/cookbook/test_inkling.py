"""Inkling: its tokenizer, which is no transformers' one, and its answers, however they end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import tinker
from tinker_cookbook import renderers as cookbook, tokenizer_utils

from proctor.renderers import (
    Termination,
    choose_renderer,
    get_renderer,
    message_reasoning,
    message_text,
    quick_check,
)
from proctor.sampling.identities import tokenizer_of

MODEL = "thinkingmachines/Inkling-7B"
ASK: Any = [{"role": "user", "content": "Capital of France? é 東京"}]
THOUGHT: Any = {
    "role": "assistant",
    "content": [{"type": "thinking", "thinking": "Is it"}, {"type": "text", "text": "Paris."}],
}
CLEAN, MALFORMED = Termination.STOP_SEQUENCE, Termination.MALFORMED
THINKS = "[message_model][content_thinking]Is it[end_message]"
SAYS = "[message_model][content_text]Paris.[end_message]"
CALLS = '[message_model]f[content_invoke_tool_json]{"name":"f","args":{"a":1}}[end_message]'
END = "[content_model_end_sampling]"


@pytest.fixture
def tokenizer(inkling_tokenizer: Any) -> Any:
    return inkling_tokenizer


@pytest.fixture
def renderer(tokenizer: Any) -> Any:
    return get_renderer(choose_renderer(model_name=MODEL)[0], tokenizer)


@pytest.fixture
def spelled(inkling_tokens: Any) -> Any:
    return inkling_tokens


def test_a_tinker_client_of_it_has_its_tokenizer() -> None:
    def refuses() -> Any:
        raise ValueError("Thinking Machines models do not support get_tokenizer")

    client = SimpleNamespace(_base_model=MODEL, get_tokenizer=refuses)
    assert isinstance(tokenizer_of(client), tokenizer_utils.TmlRenderersTokenizerAdapter)


def test_its_prompt_is_tinker_cookbooks_and_nothing_is_warned_of(
    renderer: Any, tokenizer: Any
) -> None:
    theirs = cookbook.get_renderer("tml_v0", tokenizer_utils.get_tokenizer(MODEL))
    assert renderer.prompt_tokens(ASK) == theirs.build_generation_prompt(ASK).to_ints()
    assert renderer.get_stop_sequences() == theirs.get_stop_sequences()
    assert quick_check(renderer, tokenizer) == []


def test_its_own_training_example_is_a_clean_answer(renderer: Any) -> None:
    whole = renderer.foreign.build_supervised_example([*ASK, THOUGHT])[0].to_ints()
    prompt = renderer.prompt_tokens(ASK)
    assert whole[: len(prompt)] == prompt
    assert renderer.parse_response(whole[len(prompt) :], prompt=prompt) == (THOUGHT, CLEAN)


@pytest.mark.parametrize(
    ("answer", "reasoning", "text", "termination"),
    [
        (THINKS + SAYS + END, "Is it", "Paris.", CLEAN),
        (SAYS + END, "", "Paris.", CLEAN),
        (THINKS + SAYS, "Is it", "Paris.", MALFORMED),
        (THINKS + SAYS + "[endoftext]", "Is it", "Paris.", MALFORMED),
        (THINKS + SAYS + END + END, "Is it", "Paris.", MALFORMED),
        (THINKS + "[message_model][content_text]Paris", "Is it", "Paris", MALFORMED),
        (THINKS, "Is it", "", MALFORMED),
        ("[message_model][content_thinking]Is it", "Is it", "", MALFORMED),
        ("[message_model][content_thinking]Is it" + END, "Is it", "", MALFORMED),
        ("[message_model][content_thinking]", "", "", MALFORMED),
        ("[message_model]", "", "", MALFORMED),
        ("", "", "", MALFORMED),
        (
            SAYS + "[message_user][content_text]And Rome?[end_message]" + SAYS,
            "",
            "Paris.",
            MALFORMED,
        ),
    ],
)
def test_no_thinking_is_in_the_text(
    answer: str, reasoning: str, text: str, termination: Any, renderer: Any, spelled: Any
) -> None:
    message, found = renderer.parse_response(spelled(answer))
    assert (message_reasoning(message), message_text(message)) == (reasoning, text)
    assert found is termination


def test_a_call_is_kept_also_where_the_answer_does_not_end(renderer: Any, spelled: Any) -> None:
    for end, termination in ((END, CLEAN), ("", MALFORMED)):
        message, found = renderer.parse_response(spelled(SAYS + CALLS + end))
        assert (message_text(message), found) == ("Paris.", termination)
        (call,) = message["tool_calls"]
        assert call.function.name == "f"
        assert call.function.arguments == '{"a": 1}'


def test_a_call_that_is_cut_off_is_none(renderer: Any, spelled: Any) -> None:
    cut = '[message_model]f[content_invoke_tool_json]{"a": '
    message, found = renderer.parse_response(spelled(THINKS + cut))
    assert (message_text(message), found) == ("", MALFORMED)
    assert "tool_calls" not in message
    assert message["unparsed_tool_calls"][0].error == "the tool call does not end"


class Answering:
    """A sampling client of Inkling's that always says one thing."""

    _base_model = MODEL

    def __init__(self, tokens: list[int]) -> None:
        self.tokens = tokens

    def get_tokenizer(self) -> Any:
        raise ValueError("Thinking Machines models do not support get_tokenizer")

    async def sample(self, **_: Any) -> tinker.SampleResponse:
        answer = tinker.SampledSequence(
            stop_reason="stop", sequence_id="0", _tokens_list=self.tokens, _logprobs_list=None
        )
        return tinker.SampleResponse(sequences=[answer])


async def test_it_is_evaluated_by_its_name_alone(numbers: Any, spelled: Any) -> None:
    client = Answering(spelled("[message_model][content_text]It is <1>.[end_message]" + END))
    evaluator = numbers()
    evaluator.renderer = None
    metrics = await evaluator(client)
    assert metrics["numbers/score"] == 0.1
    assert metrics["numbers/Contains/coverage"] == 1.0
    assert metrics["numbers/Contains/malformed"] == 0
