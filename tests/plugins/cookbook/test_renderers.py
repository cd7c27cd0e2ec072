"""tinker-cookbook's renderers under ``cookbook/NAME``."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tinker_cookbook import renderers as cookbook

from proctor.errors import RendererError, UnknownComponentError
from proctor.renderers import get_renderer
from proctor.testing import ScriptedClient
from proctor_cookbook import RENDERERS

MESSAGES: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Say <3>."},
]


def test_every_documented_renderer_is_named() -> None:
    documented = re.findall(r'- ``"(\w+)"``', cookbook.get_renderer.__doc__ or "")
    assert len(documented) > 30
    assert set(documented) <= set(RENDERERS)
    assert list(RENDERERS) == sorted(RENDERERS)


@pytest.mark.parametrize("name", RENDERERS)
def test_every_name_is_one_of_tinker_cookbook_s(name: str, tokenizer: Any) -> None:
    """It may refuse a tokenizer of another family, in one line; it may not be unknown."""
    refusals = []
    try:
        get_renderer(f"cookbook/{name}", tokenizer)
    except RendererError as error:
        refusals.append(str(error))
    assert all(line.startswith(f"renderer cookbook/{name}: ") for line in refusals)
    assert "Unknown renderer" not in "".join(refusals)


def test_prompts_are_tinker_cookbook_s_own(tokenizer: Any) -> None:
    ours = get_renderer("cookbook/role_colon", tokenizer)
    theirs = cookbook.get_renderer("role_colon", tokenizer)
    assert (
        ours.build_generation_prompt(MESSAGES).to_ints()
        == theirs.build_generation_prompt(MESSAGES).to_ints()
    )
    assert ours.get_stop_sequences() == theirs.get_stop_sequences()


def test_an_unknown_one_is_one_line(tokenizer: Any) -> None:
    with pytest.raises(UnknownComponentError, match="cookbook/qwen3"):
        get_renderer("cookbook/qwen33", tokenizer)


async def test_an_evaluator_renders_with_one(numbers: Any) -> None:
    def script(prompt: str, index: int) -> str:
        return "It is <1>."

    evaluator = numbers(limit=4)
    evaluator.renderer = "cookbook/role_colon"
    ours = await evaluator(ScriptedClient(script))
    assert ours["numbers/score"] in (0.0, 0.25)
    assert ours == await numbers(limit=4)(ScriptedClient(script))


def test_they_are_listed_with_their_help() -> None:
    from proctor.plugins.active import plugin_manager

    registration = plugin_manager().registry.find("renderer", "cookbook/qwen3_5")
    assert registration.load().__doc__ == "tinker-cookbook's renderer qwen3_5."
    assert registration.distribution == "proctor-cookbook"
