"""Thinking that tinker-cookbook's renderers take for text."""

from __future__ import annotations

from typing import Any

import pytest

from proctor import Termination, message_reasoning, message_text
from proctor.errors import RendererError
from proctor.renderers import get_renderer
from proctor_cookbook import RENDERERS

QUESTION: list[Any] = [{"role": "user", "content": "Capital of France?"}]
OPENS_THINKING = (
    "deepseekv3_thinking",
    "deepseekv4_1",
    "deepseekv4_1_low_reasoning",
    "deepseekv4_1_max_reasoning",
    "deepseekv4_1_preserve_thinking",
    "glm5_3_high_reasoning",
    "glm5_3_low_reasoning",
    "glm5_3_max_reasoning",
    "kimi_k25",
    "kimi_k26",
    "kimi_k26_preserve_thinking",
    "nemotron3",
    "nemotron3_low_thinking",
    "nemotron3_preserve_thinking",
    "nemotron3_ultra",
    "nemotron3_ultra_medium_thinking",
    "nemotron3_ultra_preserve_thinking",
    "qwen3_5",
    "qwen3_5_preserve_thinking",
    "qwen3_8_low_reasoning",
    "qwen3_8_medium_reasoning",
    "qwen3_8_xhigh_reasoning",
)
HARMONY = tuple(name for name in RENDERERS if name.startswith("gpt_oss"))
UNUSABLE = ("role_colon", "tml_v0", *HARMONY)
"""One is no chat format, one wants a tokenizer of its own, and some have channels, not tags."""


class Case:
    def __init__(self, name: str, tokenizer: Any) -> None:
        self.renderer = get_renderer(f"cookbook/{name}", tokenizer)
        self.prompt = self.renderer.prompt_tokens(QUESTION)
        self.tokenizer = tokenizer
        self.stop = self.renderer.get_stop_sequences()[0]

    def read(self, text: str, *, ends: bool = True, with_prompt: bool = True) -> Any:
        tokens = self.tokenizer.encode(text, add_special_tokens=False)
        answer = [*tokens, *([self.stop] if ends else [])]
        options = {"prompt": self.prompt} if with_prompt else {}
        message, termination = self.renderer.parse_response(answer, **options)
        return message_reasoning(message), message_text(message), termination


@pytest.fixture(params=[name for name in RENDERERS if name not in UNUSABLE])
def case(request: Any, many_formats_tokenizer: Any) -> Case:
    return Case(request.param, many_formats_tokenizer)


@pytest.fixture(params=OPENS_THINKING)
def thinking_case(request: Any, many_formats_tokenizer: Any) -> Case:
    return Case(request.param, many_formats_tokenizer)


def test_the_list_is_of_all_whose_prompt_opens_thinking(many_formats_tokenizer: Any) -> None:
    found = []
    for name in RENDERERS:
        try:
            case = Case(name, many_formats_tokenizer)
        except RendererError:
            continue
        if many_formats_tokenizer.decode(case.prompt).rstrip().endswith("<think>"):
            found.append(name)
    assert tuple(found) == OPENS_THINKING


@pytest.mark.parametrize("with_prompt", [True, False])
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("text", ["Is it Paris? It is", "", "\n\n", "<think>Is it Paris?"])
def test_unfinished_thinking_is_no_answer(
    thinking_case: Case, text: str, ends: bool, with_prompt: bool
) -> None:
    _, shown, termination = thinking_case.read(text, ends=ends, with_prompt=with_prompt)
    assert shown == ""
    assert termination is Termination.MALFORMED


def test_finished_thinking_is_not_in_the_text(case: Case) -> None:
    for text in ("<think>Is it Rome? No.</think>Paris", "Is it Rome? No.</think>\n\nParis"):
        reasoning, shown, termination = case.read(text)
        # line breaks that some of them leave are no thinking
        assert shown.strip() == "Paris"
        assert "Is it Rome? No." in reasoning
        assert termination.is_clean


def test_an_answer_without_thinking_is_as_it_was(case: Case) -> None:
    if case.renderer.name.removeprefix("cookbook/") not in OPENS_THINKING:
        assert case.read("It is Paris.") == ("", "It is Paris.", Termination.STOP_SEQUENCE)


def test_a_question_that_spells_the_tag_opens_nothing(many_formats_tokenizer: Any) -> None:
    case = Case("qwen3_instruct", many_formats_tokenizer)
    case.prompt = case.renderer.prompt_tokens([{"role": "user", "content": "Explain <think>"}])
    assert case.read("It is a tag.") == ("", "It is a tag.", Termination.STOP_SEQUENCE)


def test_a_prefill_may_end_the_thinking(many_formats_tokenizer: Any) -> None:
    case = Case("qwen3_5", many_formats_tokenizer)
    tokens = case.tokenizer.encode("Paris", add_special_tokens=False)
    prompt = case.renderer.prompt_tokens(QUESTION, prefill="No need.</think>\n\n")
    message, termination = case.renderer.parse_response(
        [*tokens, case.stop], prompt=prompt, prefill="No need.</think>\n\n"
    )
    assert (message_reasoning(message), message_text(message)) == ("No need.", "Paris")
    assert termination.is_clean


def test_an_answer_to_score_closes_the_thinking_that_the_prompt_opens(thinking_case: Case) -> None:
    """The log-probability of a target would be that of its being thought."""
    answer: Any = {"role": "assistant", "content": "Paris."}
    tokens = thinking_case.renderer.answer_tokens(answer, prompt=thinking_case.prompt)
    shown = thinking_case.tokenizer.decode(tokens)
    assert shown.lstrip().startswith("</think>")
    read, termination = thinking_case.renderer.parse_response(tokens, prompt=thinking_case.prompt)
    assert message_text(read).strip() == "Paris."
    assert termination.is_clean


def test_an_answer_to_score_is_tinker_cookbooks_training_example(case: Case) -> None:
    answer: Any = {"role": "assistant", "content": "Paris."}
    tokens = case.renderer.answer_tokens(answer, prompt=case.prompt)
    whole = case.renderer.foreign.build_supervised_example([*QUESTION, answer])[0].to_ints()
    if case.renderer.name.startswith("cookbook/nemotron3") and case.renderer.opens_thinking:
        # its examples have no line break behind what opens thinking, and its prompts have one
        assert case.tokenizer.decode(case.prompt).endswith("<think>\n")
        assert whole[-len(tokens) :] == tokens
        return
    assert case.prompt + tokens == whole


@pytest.mark.parametrize("closing", ["</think>", "\n</think>\n\n", "\n\n</think>\n"])
def test_thinking_that_is_closed_at_once_is_no_unfinished_thinking(
    thinking_case: Case, closing: str
) -> None:
    reasoning, shown, termination = thinking_case.read(f"{closing}Paris.")
    assert (reasoning.strip(), shown.strip()) == ("", "Paris.")
    assert termination is Termination.STOP_SEQUENCE
