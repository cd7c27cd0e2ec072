"""Tokenizers that a plugin has and transformers has not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import proctor
from proctor.errors import PluginError, TokenizerError
from proctor.plugins.active import using
from proctor.plugins.manager import PluginManager
from proctor.sampling.identities import tokenizer_of

SOURCE = """
import proctor
from proctor.testing import ByteTokenizer

@proctor.hookimpl
def proctor_load_tokenizer(model):
    if model == "house/broken":
        raise RuntimeError("no vocabulary")
    return ByteTokenizer() if model == "house/model" else None
"""


@pytest.fixture
def house_plugin(tmp_path: Path) -> Any:
    (tmp_path / "house.py").write_text(SOURCE)
    with using(PluginManager(files=[tmp_path / "house.py"], only=[])):
        yield


def test_it_is_taken_before_the_hub_is_asked(house_plugin: None) -> None:
    tokenizer: Any = proctor.get_tokenizer("house/model")
    assert type(tokenizer).__name__ == "ByteTokenizer"


def test_a_clients_own_tokenizer_is_not_asked_for_then(house_plugin: None) -> None:
    own = object()
    for model, expected in (("house/model", "ByteTokenizer"), ("other/model", "object")):
        client = SimpleNamespace(_base_model=model, get_tokenizer=lambda: own)
        assert type(tokenizer_of(client)).__name__ == expected


def test_other_models_are_loaded_as_without_it(house_plugin: None, tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="no such folder"):
        proctor.get_tokenizer(str(tmp_path / "nothing"))


def test_one_that_raises_is_named(house_plugin: None) -> None:
    with pytest.raises(
        PluginError, match=r"proctor_load_tokenizer raised .*no vocabulary"
    ) as caught:
        proctor.get_tokenizer("house/broken")
    assert "house" in str(caught.value)
