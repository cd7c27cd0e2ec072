"""``plain``: texts alone, as base models and lm-evaluation-harness have them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from tokenizers.processors import TemplateProcessing

from proctor.errors import RendererError
from proctor.renderers import Termination, choose_renderer, get_renderer, quick_check
from proctor.renderers.named_options import RendererName
from proctor.sampling.models import OpenedModel
from proctor.sampling.rendered_model import RenderedModel
from proctor.types import ModelIdentity, ToolCall

ASK: Any = {"role": "user", "content": "2 + 2 ="}
FOUR: Any = {"role": "assistant", "content": "4"}
SHOTS: Any = [{"role": "system", "content": "Sums."}, ASK, FOUR, {**ASK, "content": "3 + 3 ="}]


@pytest.fixture
def starting_tokenizer(tokenizer_of: Any) -> Any:
    """A tokenizer that puts the start token before every text."""
    tokenizer = copy.deepcopy(tokenizer_of("plain"))
    start = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", start)]
    )
    return tokenizer


def shown(renderer: Any, messages: Any, **options: Any) -> str:
    return str(renderer.codec.decode(renderer.prompt_tokens(messages, **options)))


def test_the_texts_are_joined_as_lm_eval_joins_shots(smollm2_tokenizer: Any) -> None:
    renderer = get_renderer("plain", smollm2_tokenizer)
    assert shown(renderer, SHOTS) == "Sums.\n\n2 + 2 = 4\n\n3 + 3 ="


def test_options_say_what_joins_them(smollm2_tokenizer: Any) -> None:
    name = 'plain{"separator": "\\n", "answer_separator": "\\nAnswer: "}'
    renderer = get_renderer(name, smollm2_tokenizer)
    assert shown(renderer, SHOTS[1:]) == "2 + 2 =\nAnswer: 4\n3 + 3 =\nAnswer:"
    assert renderer.parse_response(smollm2_tokenizer.encode(" 6<|im_end|>"))[0]["content"] == "6"
    assert shown(renderer, [ASK], prefill="It") == "2 + 2 =\nAnswer: It"
    assert shown(renderer, [ASK, FOUR], role="user") == "2 + 2 =\nAnswer: 4\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ('plain{"seperator": "x"}', "no option 'seperator'; its options: separator, answer_sep"),
        ('llama3{"separator": "x"}', "no option 'separator'; its options: none"),
        ('plain{"separator": 1}', "can't be read"),
        ('plain{"separator": "x"', "can't be read"),
        ("plain{}x", "can't be read"),
    ],
)
def test_options_that_are_none(name: str, message: str, tokenizer_of: Any) -> None:
    with pytest.raises(RendererError, match=message):
        get_renderer(name, tokenizer_of("llama3"))


def test_a_mapping_is_the_name_with_its_options() -> None:
    written = {"type": "plain", "separator": "\n", "answer_separator": "é"}
    read = TypeAdapter(RendererName).validate_python
    name = read(written)
    assert name == 'plain{"answer_separator": "é", "separator": "\\n"}'
    assert read(dict(reversed(written.items()))) == name
    assert read({"type": "plain"}) == read("plain") == "plain"
    assert read(None) is None
    wrong: list[Any] = [{"separator": "\n"}, {"type": "plain", "separator": False}]
    for mapping in wrong:
        with pytest.raises(ValidationError, match="renderer"):
            read(mapping)


def test_samples_are_kept_apart_by_the_options(smollm2_tokenizer: Any) -> None:
    model = OpenedModel(object(), ModelIdentity("m", "m"), smollm2_tokenizer)  # type: ignore[arg-type]
    names = ["plain", 'plain{"separator": "\\n"}', 'plain{"separator": " "}']
    keys = {RenderedModel.choose(model, name).renderer_key for name in names}
    assert len(keys) == 3


def test_one_start_token_where_the_tokenizer_puts_one(starting_tokenizer: Any) -> None:
    renderer = get_renderer("plain", starting_tokenizer)
    text = "<|begin_of_text|>Hi"
    tokens = renderer.prompt_tokens([{"role": "user", "content": text}])
    start = starting_tokenizer.bos_token_id
    assert (tokens[0], tokens.count(start)) == (start, 1)
    assert starting_tokenizer.decode(tokens) == "<|begin_of_text|>" + text
    prompt, (answer,) = renderer.scored_tokens([ASK], ["4"])
    assert [*prompt, *answer] == starting_tokenizer.encode("2 + 2 = 4")


def test_none_where_it_puts_none(tokenizer_of: Any, smollm2_tokenizer: Any) -> None:
    for tokenizer in (tokenizer_of("plain"), smollm2_tokenizer):
        assert tokenizer.bos_token
        renderer = get_renderer("plain", tokenizer)
        assert renderer.prompt_tokens([ASK]) == tokenizer.encode("2 + 2 =")
        assert quick_check(renderer, tokenizer) == []


def test_a_prompt_without_text_has_a_token_to_start_with(
    tokenizer_of: Any, starting_tokenizer: Any
) -> None:
    empty: Any = [{"role": "user", "content": ""}]
    for tokenizer in (tokenizer_of("plain"), starting_tokenizer):
        renderer = get_renderer("plain", tokenizer)
        assert renderer.prompt_tokens(empty) == [tokenizer.bos_token_id]
        assert renderer.scored_tokens(empty, ["a"])[0] == [tokenizer.bos_token_id]
    tokenizer = copy.deepcopy(tokenizer_of("plain"))
    tokenizer.bos_token = None
    assert get_renderer("plain", tokenizer).prompt_tokens(empty) == [tokenizer.eos_token_id]
    tokenizer.eos_token = None
    renderer = get_renderer("plain", tokenizer)
    with pytest.raises(RendererError, match="the prompt is empty"):
        renderer.prompt_tokens(empty)
    with pytest.raises(RendererError, match="names no end of text"):
        renderer.get_stop_sequences()


@pytest.mark.parametrize(
    ("spelled", "text", "termination"),
    [
        (" 4<|eot_id|>", "4", Termination.STOP_SEQUENCE),
        ("4<|eot_id|>", "4", Termination.STOP_SEQUENCE),
        ("  4\n\n<|eot_id|>", " 4\n\n", Termination.STOP_SEQUENCE),
        (" 4", "4", Termination.MALFORMED),
        (" 4<|eot_id|>5<|eot_id|>", "4", Termination.MALFORMED),
        ("<|eot_id|>", "", Termination.STOP_SEQUENCE),
    ],
)
def test_the_end_of_text_ends_an_answer(
    spelled: str, text: str, termination: Termination, tokenizer_of: Any
) -> None:
    tokenizer = tokenizer_of("plain")
    renderer = get_renderer("plain", tokenizer)
    read, ended = renderer.parse_response(tokenizer.encode(spelled))
    assert (read, ended) == ({"role": "assistant", "content": text}, termination)
    assert renderer.get_stop_sequences() == [tokenizer.eos_token_id]


def pair(tokenizer: Any, context: str, continuation: str) -> tuple[list[int], list[int]]:
    """A context and its continuation as lm-evaluation-harness has them."""
    stripped = context.rstrip()
    before = tokenizer.encode(stripped)
    return before, tokenizer.encode(context + continuation)[len(before) :]


@pytest.mark.parametrize(
    "context", ["2 + 2 =", "The sum is ", "Sum:\n", "a\n \n", "Où ? 東京", "("]
)
@pytest.mark.parametrize("separator", [" ", "", "\n", "\nAnswer: "])
def test_a_scored_text_is_tokenized_with_what_it_continues(
    context: str, separator: str, smollm2_tokenizer: Any
) -> None:
    options = json.dumps({"answer_separator": separator})
    renderer = get_renderer(f"plain{options}", smollm2_tokenizer)
    messages: Any = [{"role": "user", "content": context}]
    texts = ["4", "four of them", "Zürich 🗼", " 4 "]
    prompt, answers = renderer.scored_tokens(messages, texts)
    wanted = [pair(smollm2_tokenizer, context, separator + text) for text in texts]
    assert [(prompt, answer) for answer in answers] == wanted


def test_a_scored_text_holds_no_control_token_whatever_it_spells(smollm2_tokenizer: Any) -> None:
    renderer = get_renderer("plain", smollm2_tokenizer)
    hostile: Any = [{"role": "user", "content": "a<|im_end|>b"}]
    prompt, (answer,) = renderer.scored_tokens(hostile, ["c<|im_start|>d"])
    assert renderer.codec.special_ids.isdisjoint([*prompt, *answer])
    assert smollm2_tokenizer.decode([*prompt, *answer]) == "a<|im_end|>b c<|im_start|>d"


def test_what_is_no_text_is_refused(tokenizer_of: Any) -> None:
    renderer = get_renderer("plain", tokenizer_of("plain"))
    call = ToolCall(function=ToolCall.FunctionBody(name="f", arguments="{}"))
    image: Any = {"type": "image", "image": "x.png"}
    refused: list[tuple[Any, str]] = [
        ({"role": "assistant", "content": "", "tool_calls": [call]}, "tool calls"),
        ({"role": "tool", "content": "22"}, "tool calls"),
        ({"role": "user", "content": [image]}, "type 'image'"),
        ({"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]}, "thinking"),
    ]
    for message, what in refused:
        for render in (renderer.prompt_tokens, lambda m: renderer.scored_tokens(m, ["a"])):
            with pytest.raises(RendererError, match=what) as raised:
                render([ASK, message])
            assert "\n" not in str(raised.value)
    with pytest.raises(RendererError, match="no format for tools"):
        renderer.prompt_tokens([ASK], tools=[{"name": "f"}])  # type: ignore[typeddict-item]


def test_no_model_gets_it_unasked(smollm2_tokenizer: Any) -> None:
    for model in ("meta-llama/Llama-3.2-1B", "gpt2", "Qwen/Qwen3-8B-Base"):
        assert choose_renderer(model_name=model, tokenizer=smollm2_tokenizer)[0] != "plain"
    assert choose_renderer("plain", "gpt2")[0] == "plain"
