"""Every renderer keeps the rules that the testing kit gives to authors of renderers."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.renderers import BUILTIN, get_renderer
from proctor.testing import check_renderer


@pytest.mark.parametrize("name", sorted(set(BUILTIN) - {"chat_template", "plain", "role_colon"}))
def test_a_familys_renderer_keeps_the_rules(name: str, tokenizer_of: Any) -> None:
    tokenizer = tokenizer_of(name)
    check_renderer(get_renderer(name, tokenizer), tokenizer)


@pytest.mark.parametrize("name", ["chat_template", "plain", "role_colon"])
def test_a_renderer_for_any_model_keeps_the_rules(name: str, smollm2_tokenizer: Any) -> None:
    check_renderer(get_renderer(name, smollm2_tokenizer), smollm2_tokenizer)
