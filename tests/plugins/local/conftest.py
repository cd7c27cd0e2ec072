"""The real model behind a client, the same model by itself, and tiny models of many kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from proctor_local.client import LocalSamplingClient


@pytest.fixture(scope="session")
def tokenizer(smollm2_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(smollm2_folder)


@pytest.fixture(scope="session")
def plain_model(smollm2_folder: Path) -> Any:
    """The model as transformers loads it, which no engine has touched."""
    return AutoModelForCausalLM.from_pretrained(smollm2_folder, dtype=torch.float32).eval()


@pytest.fixture(scope="session")
def client(smollm2_folder: Path, tokenizer: Any) -> Iterator[LocalSamplingClient]:
    model = AutoModelForCausalLM.from_pretrained(smollm2_folder, dtype=torch.float32).eval()
    client = LocalSamplingClient(
        model, tokenizer, context_length=8192, end_tokens=[2], max_batch_size=32
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def ask(tokenizer: Any) -> Callable[[str], list[int]]:
    """A question as the tokens of a chat."""

    def ask(question: str) -> list[int]:
        chat = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, tokenize=False
        )
        tokens: list[int] = tokenizer.encode(chat, add_special_tokens=False)
        return tokens

    return ask


@pytest.fixture
def tiny_model() -> Callable[..., Any]:
    """Makes a small model with random weights from a transformers config class's arguments."""

    def make(config_class: Any, **options: Any) -> Any:
        torch.manual_seed(0)
        config = config_class(
            **{
                "vocab_size": 384,
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "max_position_embeddings": 512,
                "initializer_range": 0.6,
                "bos_token_id": None,
                "eos_token_id": None,
                "pad_token_id": 0,
                **options,
            }
        )
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()

    return make


@pytest.fixture
def tiny_client(
    tiny_model: Callable[..., Any], tokenizer: Any
) -> Iterator[Callable[..., LocalSamplingClient]]:
    """Makes clients of a small random Llama, or of a model that is given."""
    from transformers import LlamaConfig

    made: list[LocalSamplingClient] = []

    def make(model: Any = None, **options: Any) -> LocalSamplingClient:
        made.append(
            LocalSamplingClient(
                tiny_model(LlamaConfig, num_key_value_heads=2) if model is None else model,
                tokenizer,
                **{"context_length": 512, "end_tokens": [], "max_batch_size": 32, **options},
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def tiny_gguf(tmp_path: Path) -> Path:
    """A GGUF file of a one-layer Llama with one token for each byte: real, and small."""
    import numpy as np
    from gguf import GGUFWriter
    from tokenizers.pre_tokenizers import ByteLevel

    random = np.random.default_rng(0)
    file = tmp_path / "tiny.gguf"
    writer = GGUFWriter(file, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(16)
    tokens = ["<end>", *sorted(ByteLevel.alphabet()), "ab"]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(0)
    shapes = {
        "token_embd.weight": (len(tokens), 32),
        "output_norm.weight": (32,),
        "blk.0.attn_norm.weight": (32,),
        "blk.0.ffn_norm.weight": (32,),
        "blk.0.attn_q.weight": (32, 32),
        "blk.0.attn_k.weight": (16, 32),
        "blk.0.attn_v.weight": (16, 32),
        "blk.0.attn_output.weight": (32, 32),
        "blk.0.ffn_gate.weight": (32, 32),
        "blk.0.ffn_up.weight": (32, 32),
        "blk.0.ffn_down.weight": (32, 32),
    }
    for name, shape in shapes.items():
        writer.add_tensor(name, random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for converted models."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PROCTOR_CACHE", str(folder))
    return folder
