"""Tokenizers by name: a hub id, a local folder, a GGUF file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from proctor.errors import TokenizerError


@lru_cache(maxsize=16)
def get_tokenizer(model: str, *, trust_remote_code: bool = False) -> Any:
    """The tokenizer of a model, with transformers' interface.

    Args:
        model: A hub id, a folder, or a ``.gguf`` file.
        trust_remote_code: Whether to run code that comes with the model.

    Raises:
        TokenizerError: It is gated, can't be reached, or is no tokenizer; one line says what to do.
    """
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        from proctor.gguf_tokenizer import tokenizer_from_gguf

        if not path.is_file():
            raise TokenizerError(f"no file {path}", fix="check the path")
        return tokenizer_from_gguf(path)
    import transformers

    try:
        return transformers.AutoTokenizer.from_pretrained(
            str(path) if path.is_dir() else model, trust_remote_code=trust_remote_code
        )
    except Exception as error:
        raise TokenizerError(
            f"no tokenizer for {model!r}: {_first_line(error)}", fix=_remedy(model, error)
        ) from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _remedy(model: str, error: BaseException) -> str:
    text = f"{type(error).__name__} {error}".lower()
    if "gated" in text or "401" in text or "403" in text:
        return f"accept the terms on the model's page, and log in: hf auth login (for {model})"
    if "trust_remote_code" in text:
        return "its code would run on this machine: pass trust_remote_code=True if you trust it"
    if Path(model).expanduser().is_dir():
        return "the folder needs tokenizer.json or the files that make it"
    return "check the name and the network, or give the path of a folder that holds the tokenizer"
