import numpy as np
import pytest
from gguf import GGUFReader, dequantize
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from proctor import BackendError, ProctorError, TokenizerError
from proctor_local import gguf_conversion
from proctor_local.gguf_conversion import converted_gguf
from proctor_local.model_files import bundled_gguf


def test_the_default_models_weights_are_the_files_own(smollm2_folder):
    converted = load_file(smollm2_folder / "model.safetensors")
    stored = {tensor.name: tensor for tensor in GGUFReader(bundled_gguf()).tensors}
    for ours, theirs in {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "model.layers.29.mlp.down_proj.weight": "blk.29.ffn_down.weight",
        "model.layers.0.self_attn.v_proj.weight": "blk.0.attn_v.weight",
    }.items():
        tensor = stored[theirs]
        np.testing.assert_array_equal(converted[ours], dequantize(tensor.data, tensor.tensor_type))


def test_a_file_is_converted_once(tiny_gguf, cache, monkeypatch):
    folder, digest = converted_gguf(tiny_gguf)
    assert folder.is_relative_to(cache)
    made = AutoModelForCausalLM.from_pretrained(folder)
    assert made.config.hidden_size == 32
    assert AutoTokenizer.from_pretrained(folder).encode("ab!") == [257, 1]

    monkeypatch.setattr(gguf_conversion, "_convert_to", None)
    moved = tiny_gguf.rename(cache / "tiny.gguf")
    assert converted_gguf(moved) == (folder, digest)


def test_another_content_or_conversion_is_another_model(tiny_gguf, cache, monkeypatch):
    folder, digest = converted_gguf(tiny_gguf)
    content = bytearray(tiny_gguf.read_bytes())
    content[-5] ^= 1
    tiny_gguf.write_bytes(content)
    changed_folder, changed_digest = converted_gguf(tiny_gguf)
    monkeypatch.setattr(gguf_conversion, "CONVERSION_VERSION", 2)
    newer_folder, newer_digest = converted_gguf(tiny_gguf)
    assert len({folder, changed_folder, newer_folder}) == 3
    assert len({digest, changed_digest, newer_digest}) == 3


def test_each_major_version_of_transformers_reads_what_it_wrote(tiny_gguf, cache, monkeypatch):
    """Version 4 reads a config that 5 saved, and takes another base for rotary embeddings."""
    folder, digest = converted_gguf(tiny_gguf)
    monkeypatch.setattr(gguf_conversion, "version", lambda distribution: "99.0")
    other_folder, other_digest = converted_gguf(tiny_gguf)
    assert folder != other_folder
    assert digest == other_digest


def test_two_conversions_at_once_leave_one_whole_folder(tiny_gguf, cache, monkeypatch):
    save = gguf_conversion._save_model
    folders = []

    def overtaken(file, folder):
        monkeypatch.setattr(gguf_conversion, "_save_model", save)
        folders.append(converted_gguf(file))  # the other process finishes first
        save(file, folder)

    monkeypatch.setattr(gguf_conversion, "_save_model", overtaken)
    folders.append(converted_gguf(tiny_gguf))
    assert folders[0] == folders[1]
    assert list((cache / "models").iterdir()) == [folders[0][0]]
    AutoModelForCausalLM.from_pretrained(folders[0][0])


def test_a_conversion_that_fails_leaves_nothing(tiny_gguf, cache, monkeypatch):
    def full_disk(file, folder):
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf_conversion, "_save_model", full_disk)
    with pytest.raises(BackendError, match=r"No space left.*PROCTOR_CACHE"):
        converted_gguf(tiny_gguf)
    assert list((cache / "models").iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(tiny_gguf, tmp_path, monkeypatch):
    occupied = tmp_path / "occupied"
    occupied.write_text("a file, and no folder")
    monkeypatch.setenv("PROCTOR_CACHE", str(occupied))
    with pytest.raises(BackendError, match="set PROCTOR_CACHE") as caught:
        converted_gguf(tiny_gguf)
    assert str(occupied) in str(caught.value)


def test_a_broken_file_is_refused_in_one_line(tiny_gguf, cache):
    tiny_gguf.write_bytes(tiny_gguf.read_bytes()[:3000])
    with pytest.raises(TokenizerError) as caught:
        converted_gguf(tiny_gguf)
    assert isinstance(caught.value, ProctorError)
    assert "\n" not in str(caught.value)
    assert list((cache / "models").iterdir()) == []
