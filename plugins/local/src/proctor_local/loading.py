"""Loads a model that can be sampled: on its device, with all its weights, and with its limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from proctor import BackendError
from proctor_local.gguf_conversion import quiet_loading
from proctor_local.model_files import ModelFiles, find_model


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model on its device, and what sampling has to know about it.

    Attributes:
        model: A transformers model for causal language modelling, in evaluation mode.
        tokenizer: Its tokenizer.
        files: Where it is from.
        context_length: Most tokens of prompt and answer together.
        end_tokens: Ids that end an answer on the model's own account.
    """

    model: Any
    tokenizer: Any
    files: ModelFiles
    context_length: int
    end_tokens: set[int]


def load_model(
    name: str,
    revision: str | None = None,
    *,
    device: str = "auto",
    dtype: str = "auto",
    context_length: int | None = None,
    trust_remote_code: bool = False,
) -> LoadedModel:
    """Finds a model, loads it, and brings it to its device.

    Args:
        name: A folder, a .gguf file, or a hub id.
        revision: Branch, tag or commit of a hub id.
        device: cpu, cuda or cuda:N; auto takes cuda where there is one.
        dtype: Of weights and arithmetic; auto is float32 on a CPU, else that of the stored weights.
        context_length: Most tokens of prompt and answer; by default what the model's config says.
        trust_remote_code: Whether to run Python code that comes with the model.

    Raises:
        BackendError: There is no such model or device, or it can't be loaded.
    """
    place = _find_device(device)
    files = find_model(name, revision)
    if dtype == "auto" and place.type == "cpu":
        dtype = "float32"
    tokenizer, model = _load_parts(files, dtype, trust_remote_code)
    try:
        model = model.to(place).eval()
    except RuntimeError as error:
        raise BackendError(
            f"it does not fit on {place} ({error})", where=name, fix="set device: cpu"
        ) from error
    text_config = model.config.get_text_config()
    length = context_length or getattr(text_config, "max_position_embeddings", None)
    if length is None:
        raise BackendError(
            "its config does not say how long its context is",
            where=name,
            fix="set context_length",
        )
    return LoadedModel(model, tokenizer, files, length, _end_tokens(model, tokenizer))


def _find_device(name: str) -> Any:
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise BackendError(
            f"there is no device {name!r}", where="device", fix="cpu, cuda or cuda:N"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BackendError(
            f"this machine has {torch.cuda.device_count()} CUDA devices that torch can use, "
            f"and not {name!r}",
            where="device",
            fix="set device: cpu, or install a build of torch for your GPU",
        )
    return device


def _load_parts(files: ModelFiles, dtype: str, trust_remote_code: bool) -> tuple[Any, Any]:
    """The tokenizer and the model in a folder, with every weight that the model needs."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = {"trust_remote_code": trust_remote_code, "local_files_only": True}
    with quiet_loading():
        try:
            tokenizer = AutoTokenizer.from_pretrained(files.folder, **options)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                files.folder, dtype=dtype, output_loading_info=True, **options
            )
        except Exception as error:  # what transformers raises depends on what it stumbles over
            hint = "set trust_remote_code: true if you trust its authors"
            raise BackendError(
                f"transformers can't load it ({type(error).__name__}: {error})",
                where=files.name,
                fix=hint if "trust_remote_code" in str(error) else "check the model's files",
            ) from error
    model, report = loaded
    missing = sorted({*report["missing_keys"], *report.get("mismatched_keys", ())})
    if missing:
        raise BackendError(
            f"{len(missing)} of its weights are missing, such as {missing[0]}: its answers would "
            "be random",
            where=files.name,
            fix="name a whole causal language model",
        )
    if getattr(model, "_is_stateful", False):
        raise BackendError(
            "it keeps a recurrent state, and this backend batches models with attention only",
            where=files.name,
            fix="serve it, and use the backend of the server",
        )
    return tokenizer, model


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Every id that the model's files call an end of text."""
    named: list[int | Iterable[int] | None] = [
        getattr(model.generation_config, "eos_token_id", None),
        getattr(model.config.get_text_config(), "eos_token_id", None),
        tokenizer.eos_token_id,
    ]
    ends: set[int] = set()
    for value in named:
        if isinstance(value, int):
            ends.add(value)
        elif value is not None:
            ends.update(value)
    return ends
