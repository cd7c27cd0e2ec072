"""What went wrong elsewhere: reasoning was graded, base models failed, prompts began twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proctor import renderers
from proctor.renderers import Termination, get_renderer, quick_check
from proctor.sampling.answers import AnswerReader

THINKERS = {
    "qwen3": "<think>\nIs it Paris? It is",
    "qwen3_5": "Is it Paris? It is",
    "qwen3_6": "Is it Paris? It is",
    "qwen3_8_low_reasoning": "Is it Paris? It is",
    "deepseekv3_thinking": "Is it Paris? It is",
    "gpt_oss_high_reasoning": "<|channel|>analysis<|message|>Is it Paris? It is",
    "kimi_k2": "<think>Is it Paris? It is",
}


def read(renderer: Any, spelled: str, stop_reason: str) -> Any:
    tokens = renderer.tokenizer.encode(spelled, add_special_tokens=False)
    sequence = SimpleNamespace(tokens=tokens, logprobs=None, stop_reason=stop_reason)
    question: Any = [{"role": "user", "content": "Capital of France?"}]
    [prompt] = renderer.prompts([question])
    return AnswerReader(renderer, renderer.tokenizer).read("a", 0, question, prompt, sequence, 0.1)


@pytest.mark.parametrize("name", THINKERS)
def test_unfinished_reasoning_that_holds_the_target_is_no_answer(
    name: str, tokenizer_of: Any
) -> None:
    sample = read(get_renderer(name, tokenizer_of(name)), THINKERS[name], "length")
    assert sample.status == "truncated"
    assert sample.text == ""
    assert sample.reasoning == "Is it Paris? It is"


def test_the_template_of_a_thinking_model_does_no_worse(chat_tokenizer: Any) -> None:
    sample = read(get_renderer("chat_template", chat_tokenizer), THINKERS["qwen3"], "length")
    assert (sample.status, sample.text) == ("truncated", "")


def test_a_clean_end_at_exactly_the_last_token_is_complete(tokenizer_of: Any) -> None:
    sample = read(get_renderer("llama3", tokenizer_of("llama3")), "Paris.<|eot_id|>", "length")
    assert (sample.status, sample.text) == ("complete", "Paris.")


@pytest.mark.parametrize("name", ["role_colon", "chat_template"])
def test_the_end_of_text_is_a_base_models_clean_end(
    name: str, base_tokenizer: Any, chat_templates: dict[str, str]
) -> None:
    base_tokenizer.chat_template = chat_templates["llama3"]
    try:
        sample = read(get_renderer(name, base_tokenizer), "Paris.<|end_of_text|>", "stop")
    finally:
        base_tokenizer.chat_template = None
    assert sample.status == "complete"
    assert sample.termination is Termination.EOS
    assert sample.text == "Paris."


@pytest.mark.parametrize("name", ["llama3", "plain", "role_colon", "chat_template"])
def test_one_start_token_and_no_more(
    name: str, tokenizer_of: Any, chat_templates: dict[str, str]
) -> None:
    """The template writes one, and a tokenizer that adds another is not asked to."""
    import copy

    from tokenizers.processors import TemplateProcessing

    tokenizer = copy.deepcopy(tokenizer_of("llama3"))
    start = tokenizer.bos_token_id
    tokenizer.chat_template = chat_templates["llama3"]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", start)]
    )
    assert tokenizer.encode("a")[0] == start
    renderer = get_renderer(name, tokenizer)
    tokens = renderer.prompt_tokens([{"role": "user", "content": "<|begin_of_text|>Hi"}])
    assert tokens.count(start) == 1
    assert tokens[0] == start
    assert quick_check(renderer, tokenizer) == []


async def test_code_in_the_style_of_tinkers_documentation_needs_its_imports_changed_only(
    tokenizer_of: Any,
) -> None:
    import tinker

    from proctor.testing import ScriptedClient

    tokenizer = tokenizer_of("qwen3_disable_thinking")
    renderer = renderers.get_renderer(name="qwen3_disable_thinking", tokenizer=tokenizer)
    prompt = renderer.build_generation_prompt(
        [renderers.Message(role="user", content="Capital of France?")]
    )
    assert isinstance(prompt, tinker.ModelInput)
    params = tinker.SamplingParams(max_tokens=9, stop=renderer.get_stop_sequences())
    client = ScriptedClient(lambda *_: " Paris.", tokenizer=tokenizer)
    response = await client.sample_async(prompt=prompt, num_samples=1, sampling_params=params)
    tokens = response.sequences[0].tokens
    assert renderer.parse_response(tokens)[0]["content"] == " Paris."
    assert renderer.parse_response(tokens)[1].is_clean
    assert renderers.get_renderer("qwen3", tokenizer).name == "qwen3"
