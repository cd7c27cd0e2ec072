"""Names to renderers: the core's, a plugin's, tinker-cookbook's, and which one a model wants."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tinker_cookbook import renderers as cookbook

from proctor.errors import RendererError, UnknownComponentError
from proctor.plugins.active import configure, using
from proctor.renderers import (
    BUILTIN,
    Message,
    Renderer,
    Termination,
    choose_renderer,
    get_renderer,
    message_text,
    quick_check,
)
from proctor.testing import ByteTokenizer


@pytest.mark.parametrize("name", BUILTIN)
def test_a_renderer_knows_the_name_that_it_is_registered_under(name: str) -> None:
    module, _, attribute = BUILTIN[name].partition(":")
    made = getattr(importlib.import_module(module), attribute)
    assert issubclass(made, Renderer)
    assert made.name == name
    assert made.version >= 1


def test_an_unknown_name_lists_near_ones(tokenizer_of: Any) -> None:
    with pytest.raises(UnknownComponentError, match="did you mean 'llama3'"):
        get_renderer("lama3", tokenizer_of("llama3"))


PLUGIN = """
import proctor
from tinker_cookbook import renderers

def cookbook_llama3(tokenizer):
    return renderers.get_renderer("llama3", tokenizer)

@proctor.hookimpl
def proctor_register(registry):
    registry.renderer("cookbook_llama3", cookbook_llama3)
    {more}
"""


@contextmanager
def plugged_in(folder: Path, more: str = "") -> Iterator[None]:
    file = folder / f"plugin_{len(more)}.py"
    file.write_text(PLUGIN.replace("{more}", more), encoding="utf-8")
    with using():
        configure(files=[file])
        yield


def test_a_plugins_renderer_of_tinker_cookbooks_shape_works_in_the_loop(
    tmp_path: Path, tokenizer_of: Any, plain_conversations: dict[str, Any]
) -> None:
    tokenizer = tokenizer_of("llama3")
    with plugged_in(tmp_path):
        wrapped = get_renderer("cookbook_llama3", tokenizer)
    ours = get_renderer("llama3", tokenizer)
    batch = [
        messages
        for messages in plain_conversations.values()
        if all(isinstance(message["content"], str) for message in messages)
    ]
    assert len(batch) >= 12
    assert wrapped.prompt_tokens_batch(batch) == ours.prompt_tokens_batch(batch)
    assert wrapped.get_stop_sequences() == ours.get_stop_sequences()
    assert wrapped.name == "cookbook_llama3"
    message = Message(role="assistant", content="Paris.")
    assert wrapped.parse_response(wrapped.answer_tokens(message)) == (
        message,
        Termination.STOP_SEQUENCE,
    )
    with pytest.raises(RendererError, match="no format for tools"):
        wrapped.create_conversation_prefix_with_tools([], "")


def test_a_plugin_takes_no_name_of_the_cores_unseen(tmp_path: Path, tokenizer_of: Any) -> None:
    more = 'registry.renderer("llama3", cookbook_llama3)'
    with plugged_in(tmp_path, more):
        with pytest.raises(UnknownComponentError, match="ambiguous"):
            get_renderer("llama3", tokenizer_of("llama3"))
        get_renderer("proctor/llama3", tokenizer_of("llama3"))


@pytest.mark.parametrize("ending", ["<|im_end|>", ""])
def test_what_a_foreign_renderer_leaves_of_thinking_in_the_text_is_thinking(
    ending: str, tmp_path: Path, tokenizer_of: Any
) -> None:
    tokenizer = tokenizer_of("qwen3")
    foreign = cookbook.get_renderer("qwen3", tokenizer)
    more = 'registry.renderer("foreign", lambda t: renderers.get_renderer("qwen3", t))'
    with plugged_in(tmp_path, more):
        wrapped = get_renderer("foreign", tokenizer)
    cut = tokenizer.encode("<think>\nit is Paris" + ending, add_special_tokens=False)
    assert "Paris" in message_text(foreign.parse_response(cut)[0])
    message, termination = wrapped.parse_response(cut)
    assert message_text(message) == ""
    assert termination is Termination.MALFORMED


@pytest.mark.parametrize(
    ("ending", "termination"), [(True, Termination.STOP_SEQUENCE), (False, Termination.MALFORMED)]
)
def test_a_renderer_from_before_the_terminations_says_yes_or_no(
    ending: bool, termination: Termination
) -> None:
    from proctor.renderers.adapted import AdaptedRenderer

    old = SimpleNamespace(
        parse_response=lambda tokens: ({"role": "assistant", "content": "x"}, ending),
        get_stop_sequences=lambda: [2],
    )
    assert AdaptedRenderer(old, ByteTokenizer(), "old").parse_response([1])[1] is termination


@pytest.mark.parametrize(
    ("model", "renderer"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama3"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "llama3"),
        ("meta-llama/Llama-3.2-1B", "role_colon"),
        ("meta-llama/Llama-3.1-70B", "role_colon"),
        ("Qwen/Qwen3-8B", "qwen3"),
        ("Qwen/Qwen3-30B-A3B", "qwen3"),
        ("Qwen/Qwen3-8B-Base", "role_colon"),
        ("Qwen/Qwen3-30B-A3B-Base", "role_colon"),
        ("Qwen/Qwen3-4B-Instruct-2507", "qwen3_instruct"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3_instruct"),
        ("Qwen/Qwen3.5-4B", "qwen3_5"),
        ("Qwen/Qwen3.6-35B-A3B", "qwen3_6"),
        ("Qwen/Qwen3.8-27B", "qwen3_8_xhigh_reasoning"),
        ("Qwen/Qwen3.5-9B-Base", "role_colon"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseekv3"),
        ("deepseek-ai/DeepSeek-V3.1-Base", "role_colon"),
        ("openai/gpt-oss-20b", "gpt_oss_medium_reasoning"),
        ("openai/gpt-oss-120b", "gpt_oss_medium_reasoning"),
        ("moonshotai/Kimi-K2-Thinking", "kimi_k2"),
        ("Qwen/Qwen3-VL-8B-Instruct", "cookbook/qwen3_vl_instruct"),
        ("Qwen/Qwen3-VL-8B-Thinking", "cookbook/qwen3_vl"),
        ("Qwen/Qwen3.8-27B-Base", "role_colon"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "chat_template"),
        ("/models/Qwen3-8B/", "qwen3"),
        ("allenai/OLMo-base", "role_colon"),
        ("google/gemma-3-1b-pt", "role_colon"),
    ],
)
def test_a_models_name_says_its_family(model: str, renderer: str) -> None:
    assert choose_renderer(model_name=model)[0] == renderer


@pytest.mark.parametrize(
    "model",
    [
        "Qwen/Qwen3-Coder-30B-A3B-Instruct",
        "Qwen/Qwen3-4B-Thinking-2507",
        "Qwen/Qwen2.5-7B-Instruct",
        "deepseek-ai/DeepSeek-R1",
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "database",
    ],
)
def test_another_family_gets_its_own_template(model: str, chat_tokenizer: Any) -> None:
    name, reason = choose_renderer(model_name=model, tokenizer=chat_tokenizer)
    assert name == "chat_template"
    assert "chat template" in reason
    with pytest.raises(RendererError, match="role_colon"):
        choose_renderer(model_name=model, tokenizer=ByteTokenizer())


def test_what_is_named_comes_before_the_checkpoint_and_that_before_the_family() -> None:
    known = {"model_name": "Qwen/Qwen3-8B", "checkpoint_renderer_name": "qwen3_disable_thinking"}
    assert choose_renderer(name="role_colon", **known)[0] == "role_colon"
    name, reason = choose_renderer(**known)
    assert name == "qwen3_disable_thinking"
    assert "checkpoint" in reason
    assert choose_renderer(model_name="Qwen/Qwen3-8B")[0] == "qwen3"


def test_a_checkpoints_name_is_tinker_cookbooks_where_none_of_ours_has_it() -> None:
    for given, expected in (
        ("qwen3_5", "qwen3_5"),
        ("qwen3_8_low_reasoning", "qwen3_8_low_reasoning"),
        ("gpt_oss_no_sysprompt", "cookbook/gpt_oss_no_sysprompt"),
        ("cookbook/nemotron3", "cookbook/nemotron3"),
    ):
        assert choose_renderer(checkpoint_renderer_name=given)[0] == expected


def test_without_the_plugin_that_has_it_the_error_says_what_to_install(chat_tokenizer: Any) -> None:
    name, _ = choose_renderer(model_name="moonshotai/Kimi-K2.6", tokenizer=chat_tokenizer)
    has_plugin = importlib.util.find_spec("proctor_cookbook") is not None
    with using():
        configure(blocked=["proctor-cookbook"] if has_plugin else [])
        with pytest.raises(UnknownComponentError) as caught:
            get_renderer(name, chat_tokenizer)
    assert "proctor-cookbook" in str(caught.value)


def test_no_renderer_at_all_is_an_error_that_lists_them() -> None:
    with pytest.raises(RendererError) as caught:
        choose_renderer(model_name="mine", tokenizer=ByteTokenizer())
    for name in BUILTIN:
        assert name in str(caught.value)


def test_a_family_that_its_name_gets_wrong_is_seen_at_the_start(smollm2_tokenizer: Any) -> None:
    name, _ = choose_renderer(model_name="Qwen/Qwen3-8B", tokenizer=smollm2_tokenizer)
    assert quick_check(get_renderer(name, smollm2_tokenizer), smollm2_tokenizer)
