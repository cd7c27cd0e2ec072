"""The renderer that a model gets unasked, against tinker-cookbook's recommendation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tinker_cookbook import model_info

from proctor.renderers import choose_renderer

MEANT = {
    # Harmony has a system message, with which OpenAI's models were trained and are measured
    "openai/gpt-oss-20b": ("gpt_oss_no_sysprompt", "gpt_oss_medium_reasoning"),
    "openai/gpt-oss-120b": ("gpt_oss_no_sysprompt", "gpt_oss_medium_reasoning"),
    # Qwen3.6's own template writes a call's arguments as JSON, where Qwen3.5's is Python's
    "Qwen/Qwen3.6-27B": ("qwen3_5", "qwen3_6"),
    "Qwen/Qwen3.6-35B-A3B": ("qwen3_5", "qwen3_6"),
}
"""Models whose default here is not tinker-cookbook's: theirs, and ours."""


def models() -> Iterator[str]:
    tables = [
        getattr(model_info, name)
        for name in dir(model_info)
        if name.startswith("get_") and name.endswith("_info")
    ]
    for table in tables:
        for name, about in table().items():
            yield f"{about.organization}/{name}"


MODELS = sorted(models())


def test_the_table_is_all_of_tinker_cookbooks() -> None:
    assert len(MODELS) == 44


@pytest.mark.parametrize("model", MODELS)
def test_a_model_gets_the_recommended_renderer(model: str) -> None:
    recommended = model_info.get_recommended_renderer_name(model)
    theirs, ours = MEANT.get(model, (recommended, recommended))
    assert recommended == theirs
    chosen, _ = choose_renderer(model_name=model)
    assert chosen.removeprefix("cookbook/") == ours
