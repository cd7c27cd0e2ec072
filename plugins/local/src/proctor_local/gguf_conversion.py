"""GGUF files as folders that transformers loads in a second: converted once, kept in a cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_dir

from proctor import BackendError, ProctorError, tokenizer_from_gguf

CONVERSION_VERSION = 1
"""Raised when the same file would be converted to something else."""


def cache_folder() -> Path:
    """Where converted models are kept: ``PROCTOR_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("PROCTOR_CACHE") or user_cache_dir("proctor"))


def file_digest(file: Path) -> str:
    """The SHA-256 of a file's content, as hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def converted_gguf(file: Path) -> tuple[Path, str]:
    """The folder that holds a GGUF file's model, which is made at the first call.

    Weights are kept in float32, which every quantised value fits into exactly; the folder takes
    four bytes a parameter.

    Args:
        file: The ``.gguf`` file.

    Returns:
        The folder, and the digest of its content.

    Raises:
        BackendError: The file can't be converted, or the cache can't be written.
        TokenizerError: The file's tokenizer can't be rebuilt.
    """
    digest = f"{file_digest(file)[:32]}-v{CONVERSION_VERSION}"
    # Another major version misreads a saved config without a word (4 and 5 keep the base of the
    # rotary embedding in different places), so each reads what it wrote itself.
    writer = f"transformers{version('transformers').split('.')[0]}"
    folder = cache_folder() / "models" / f"{file.stem}-{digest}-{writer}"
    if not folder.is_dir():
        try:
            _convert_to(file, folder)
        except ProctorError:
            raise
        except OSError as error:
            raise BackendError(
                f"the converted model can't be written ({error})",
                where=str(folder),
                fix="free some space, or set PROCTOR_CACHE to a folder that has it",
            ) from error
    return folder, digest


def _convert_to(file: Path, folder: Path) -> None:
    """Converts into a folder beside the final one, so that a reader sees all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    try:
        tokenizer_from_gguf(file).save_pretrained(unfinished)
        _save_model(file, unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, with the same content
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _save_model(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    with quiet_loading():
        try:
            model = AutoModelForCausalLM.from_pretrained(
                str(file.parent), gguf_file=file.name, dtype=torch.float32, local_files_only=True
            )
        except Exception as error:  # what transformers raises depends on what it stumbles over
            raise BackendError(
                f"transformers can't read this GGUF file ({type(error).__name__}: {error})",
                where=str(file),
                fix="name the model's folder or hub id instead",
            ) from error
        model.save_pretrained(folder)


@contextlib.contextmanager
def quiet_loading() -> Iterator[None]:
    """Keeps transformers' progress bars off the screen, which has its own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
