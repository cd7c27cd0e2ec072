"""What a renderer's checks see before anything is sampled, and after the first answers."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from proctor.errors import RendererError
from proctor.renderers import (
    Message,
    Termination,
    check_renderer,
    describe_prompt,
    early_warning,
    get_renderer,
    quick_check,
)
from proctor.renderers.adapted import AdaptedRenderer
from proctor.renderers.families.llama3 import Llama3Renderer
from proctor.types import Call, Sample

QUESTION = [Message(role="user", content="Hi <|im_end|>")]
MATCHING = [
    ("llama3", "llama3"),
    ("llama3", "llama3_1"),
    ("qwen3", "qwen3"),
    ("qwen3_disable_thinking", "qwen3"),
    ("qwen3_instruct", "qwen3_instruct_2507"),
    ("qwen3_5", "qwen3_5_think"),
    ("qwen3_5_disable_thinking", "qwen3_5_nothink"),
    ("qwen3_6", "qwen3_6"),
    ("qwen3_6_disable_thinking", "qwen3_6"),
    ("qwen3_8_xhigh_reasoning", "qwen3_8"),
    ("qwen3_8_medium_reasoning", "qwen3_8"),
    ("qwen3_8_low_reasoning", "qwen3_8"),
    ("qwen3_8_disable_thinking", "qwen3_8"),
    ("gpt_oss_medium_reasoning", "gptoss"),
    ("gpt_oss_low_reasoning", "gptoss"),
]


def with_template(tokenizer: Any, template: str) -> Any:
    made = copy.copy(tokenizer)
    made.chat_template = template
    return made


@pytest.mark.parametrize(("name", "template"), MATCHING)
def test_nothing_is_wrong_with_a_models_own_renderer(
    name: str, template: str, tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    tokenizer = with_template(tokenizer_of(name), chat_templates[template])
    renderer = get_renderer(name, tokenizer)
    assert quick_check(renderer, tokenizer) == []
    assert check_renderer(renderer, tokenizer) == []


@pytest.mark.parametrize("name", ["chat_template", "plain", "role_colon"])
def test_nothing_is_wrong_with_what_any_model_takes(name: str, smollm2_tokenizer: Any) -> None:
    renderer = get_renderer(name, smollm2_tokenizer)
    assert quick_check(renderer, smollm2_tokenizer) == []


def test_a_tokenizer_without_the_stop_signal(smollm2_tokenizer: Any) -> None:
    (warning,) = quick_check(get_renderer("llama3", smollm2_tokenizer), smollm2_tokenizer)
    assert "stop signal '<|eot_id|>'" in warning.problem
    assert "another model family" in str(warning)


def test_without_it_the_stop_is_a_string_and_the_rest_is_text(smollm2_tokenizer: Any) -> None:
    renderer = get_renderer("llama3", smollm2_tokenizer)
    assert renderer.get_stop_sequences() == ["<|eot_id|>"]
    tokens = smollm2_tokenizer.encode("Paris.<|eot_id|>", add_special_tokens=False)
    assert renderer.parse_response(tokens) == (
        {"role": "assistant", "content": "Paris."},
        Termination.STOP_SEQUENCE,
    )


def test_a_tokenizer_without_another_control_token(tokenizer_of: Any) -> None:
    tokenizer = tokenizer_of("kimi_k2")
    (warning,) = quick_check(get_renderer("qwen3", tokenizer), tokenizer)
    assert "control token" in warning.problem
    assert "'<|im_start|>'" in warning.problem


def test_the_start_token_twice(tokenizer_of: Any) -> None:
    class Doubled(Llama3Renderer):
        def blocks(self, messages: Any, role: str) -> Any:
            return [[self.controls[0]], *super().blocks(messages, role)]

    tokenizer = tokenizer_of("llama3")
    (warning,) = quick_check(Doubled(tokenizer), tokenizer)
    assert "'<|begin_of_text|>' twice" in warning.problem


def test_the_start_token_missing(tokenizer_of: Any) -> None:
    from tokenizers.processors import TemplateProcessing

    class Bare(Llama3Renderer):
        def blocks(self, messages: Any, role: str) -> Any:
            return super().blocks(messages, role)[1:]

    tokenizer = copy.deepcopy(tokenizer_of("llama3"))
    start = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", start)]
    )
    assert quick_check(Llama3Renderer(tokenizer), tokenizer) == []
    (warning,) = quick_check(Bare(tokenizer), tokenizer)
    assert "doesn't begin with the start token" in warning.problem


def test_a_start_token_that_the_format_does_not_use_is_not_missed(tokenizer_of: Any) -> None:
    tokenizer = tokenizer_of("gpt_oss_low_reasoning")
    assert tokenizer.bos_token_id is not None
    assert quick_check(get_renderer("gpt_oss_low_reasoning", tokenizer), tokenizer) == []


def test_a_template_that_differs(tokenizer_of: Any, chat_templates: dict[str, str]) -> None:
    tokenizer = with_template(tokenizer_of("qwen3"), chat_templates["qwen2_5"])
    (warning,) = quick_check(get_renderer("qwen3", tokenizer), tokenizer)
    assert "differs from the tokenizer's own chat template" in warning.problem
    assert "proctor render --check" in warning.fix


def test_the_full_check_finds_the_first_token_that_differs(
    tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    tokenizer = with_template(tokenizer_of("qwen3"), chat_templates["qwen3"])
    assert [str(d) for d in check_renderer(get_renderer("qwen3", tokenizer), tokenizer)] == []
    renderer = get_renderer("qwen3_5", tokenizer)
    found = {d.conversation: d for d in check_renderer(renderer, tokenizer)}
    end = found["one question"]
    tokens = renderer.prompt_tokens(
        [Message(role="user", content="What is the capital of France?")]
    )
    assert (end.ours, end.theirs) == ("<think>", None)
    assert end.position == len(tokens) - 2
    assert end.before.endswith("<|im_start|>assistant\n")


def test_the_full_check_counts_what_is_meant_as_no_difference(
    tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    tokenizer = with_template(tokenizer_of("llama3"), chat_templates["llama3_1"])
    found = check_renderer(get_renderer("llama3", tokenizer), tokenizer)
    assert found == []
    padded = {"padded": [Message(role="user", content=" x ")]}
    found = check_renderer(get_renderer("llama3", tokenizer), tokenizer, padded)
    assert [(d.conversation, d.ours, d.theirs) for d in found] == [("padded", " x", "x")]


def test_the_full_check_needs_a_template(tokenizer_of: Any) -> None:
    tokenizer = tokenizer_of("llama3")
    with pytest.raises(RendererError, match="no chat template"):
        check_renderer(get_renderer("llama3", tokenizer), tokenizer)


def test_a_prompt_shows_which_tokens_are_special(tokenizer_of: Any) -> None:
    renderer = get_renderer("qwen3", tokenizer_of("qwen3"))
    shown = describe_prompt(renderer, QUESTION, prefill="<think>")
    assert [token.id for token in shown] == renderer.prompt_tokens(QUESTION, prefill="<think>")
    special = [token.text for token in shown if token.is_special]
    assert special == ["<|im_start|>", "<|im_end|>", "<|im_start|>", "<think>"]
    assert "".join(token.text for token in shown) == (
        "<|im_start|>user\nHi <|im_end|><|im_end|>\n<|im_start|>assistant\n<think>"
    )


def sample(status: Any, content: Any = "", token: int = 7, error: str | None = None) -> Sample:
    call = Call([1], [5, token], "length" if status == "truncated" else "stop", 0.1)
    answer = Message(role="assistant", content=content)
    calls = [] if status == "failed" else [call]
    return Sample("a", 0, status, [answer], calls, Termination.MALFORMED, error)


THOUGHT: Any = [{"type": "thinking", "thinking": "hm"}]


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([sample("truncated", "word")] * 20, "ran out of tokens; raise max_tokens; if the answers"),
        ([sample("truncated", THOUGHT)] * 20, "while thinking; raise max_tokens, or use"),
        ([sample("malformed", THOUGHT)] * 20, "end inside open thinking"),
        ([sample("malformed", "x")] * 20, "each with the token 7; use the model's own"),
        ([sample("malformed", "x"), sample("malformed", "x", 8)], "stop signal; use the model's"),
        ([sample("malformed", "x", error="the renderer raised KeyError")] * 3, "raised KeyError"),
        (
            [replace(sample("malformed"), calls=[Call([1], [], "stop", 0.1)])] * 3,
            "stop signal; use",
        ),
        ([sample("failed", error="HTTP 404")] * 20, "first 20 requests failed: HTTP 404; stop"),
        ([sample("failed"), *[sample("malformed", "x")] * 19], "all of the first 19 answers"),
    ],
)
def test_early_answers_that_are_all_bad_say_why(samples: list[Sample], words: str) -> None:
    assert words in str(early_warning(samples))


@pytest.mark.parametrize(
    "samples",
    [
        [sample("malformed")] * 19 + [sample("complete", "x")],
        [sample("malformed")] * 10 + [sample("truncated")] * 10,
        [],
    ],
)
def test_early_answers_that_are_mixed_say_nothing(samples: list[Sample]) -> None:
    assert early_warning(samples) is None


def test_a_foreign_renderer_is_checked_too(tokenizer_of: Any) -> None:
    from tinker_cookbook import renderers as cookbook

    tokenizer = tokenizer_of("qwen3")
    foreign = AdaptedRenderer(cookbook.get_renderer("qwen3", tokenizer), tokenizer, "foreign")
    assert quick_check(foreign, tokenizer) == []
