"""The backend ``tinker``: checkpoints and base models on a Tinker server."""

from __future__ import annotations

from pydantic import Field, PrivateAttr, model_validator

from proctor.errors import BackendError, ConfigError, one_line
from proctor.redaction import without_credentials
from proctor.renderers.tokenizers import Tokenizer, get_tokenizer
from proctor.sampling.backends import Backend
from proctor.sampling.budget import DEFAULT_REQUEST_TIMEOUT
from proctor.sampling.identities import tokenizer_of
from proctor.sampling.models import Client, OpenedModel
from proctor.sampling.tinker.paths import CheckpointPath, folder_names
from proctor.sampling.tinker.service import TinkerService
from proctor.types import ModelIdentity
from proctor.waiting import Overdue, in_daemon_thread, within

TOKENIZER_SECONDS = 300.0
"""For loading a tokenizer, which may come from the hub."""
DISPATCHED_AT_ONCE = 400
"""Requests that the SDK sends at once; more only queue inside it."""


class TinkerBackend(Backend):
    """A checkpoint or a base model on a Tinker server.

    The key comes from the environment only: ``TINKER_API_KEY``. Before anything is sampled it is
    made sure that the server can be reached, takes the key, and has the model.
    """

    base_model: str | None = None
    """The base model's name; with a checkpoint, what the checkpoint's has to be."""
    model_path: str | list[str] | None = None
    """A checkpoint, as tinker://RUN/sampler_weights/NAME; a list is one run for each."""
    training_run: str | None = None
    """The id of a training run: one run for each of its sampler checkpoints."""
    every_nth: int = Field(default=1, ge=1)
    """Of a training run, each n-th checkpoint only, counted back from the last."""
    base_url: str | None = None
    """The server's address; by default TINKER_BASE_URL, else the hosted service."""
    tokenizer: str | None = None
    """A hub id, a folder or a .gguf file; by default the base model's own."""
    progress_timeout: float = Field(default=DEFAULT_REQUEST_TIMEOUT, gt=0)
    """Seconds without any answer after which the SDK stops trying a request again."""

    _url: str | None = PrivateAttr(default=None)
    _service: TinkerService | None = PrivateAttr(default=None)
    _opened: OpenedModel | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _check(self) -> TinkerBackend:
        if self.model_path is not None and self.training_run is not None:
            raise ValueError("'model_path' and 'training_run' exclude each other; leave one out")
        if self.every_nth > 1 and self.training_run is None:
            raise ValueError("'every_nth' goes with 'training_run'; leave it out")
        if self.model_path == []:
            raise ValueError("'model_path' is an empty list; name a checkpoint")
        if self.model_path is None and self.training_run is None and self.base_model is None:
            raise ValueError("it names no model; set base_model, model_path or training_run")
        for path in self._paths:
            try:
                CheckpointPath.parse(path)
            except ConfigError as error:
                raise ValueError(f"model_path: {error}") from None
        if self._url is None:
            self._url = self.base_url
        if self.base_url is not None:
            try:
                self.base_url = without_credentials(self.base_url)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return self

    @property
    def _paths(self) -> list[str]:
        if isinstance(self.model_path, list):
            return self.model_path
        return [] if self.model_path is None else [self.model_path]

    @property
    def _is_sweep(self) -> bool:
        return self.training_run is not None or isinstance(self.model_path, list)

    async def checkpoints(self) -> list[tuple[str, str]] | None:
        """The folder's name and the path of each checkpoint to run; None where there is one model.

        Raises:
            BackendError: The server can't be reached, refuses the key, or has no such run.
        """
        if not self._is_sweep:
            return None
        service = TinkerService(self._url)
        try:
            await service.connect()
            paths = self._paths
            if self.training_run is not None:
                paths = await service.sampler_checkpoints(self.training_run)
                paths = paths[:: -self.every_nth][::-1]
        finally:
            await service.close()
        return list(zip(folder_names(paths), paths, strict=True))

    async def open_model(self) -> OpenedModel:
        """Opens the model after the preflight; a second call returns what the first one opened.

        Raises:
            BackendError: The server can't be reached, refuses the key, or has no such model.
        """
        if self._opened is None:
            if self._is_sweep:
                raise BackendError(
                    "it names several checkpoints, and only one can be opened here",
                    where="model",
                    fix="name one with model_path, or use 'proctor run'",
                )
            self._service = TinkerService(self._url)
            try:
                self._opened = await self._open(self._service)
            except BaseException:
                await self.close()
                raise
        return self._opened

    async def close(self) -> None:
        """Ends the session on the server."""
        service, self._service, self._opened = self._service, None, None
        if service is not None:
            await service.close()

    async def _open(self, service: TinkerService) -> OpenedModel:
        await service.connect()
        path = CheckpointPath.parse(self._paths[0]) if self._paths else None
        if path is not None:
            found = await service.find_checkpoint(path)
            if self.base_model is not None and self.base_model != found.base_model:
                raise BackendError(
                    f"{path} is a checkpoint of {found.base_model!r}, not of {self.base_model!r}",
                    where="base_model",
                    fix=f"write base_model: {found.base_model}, or leave it out",
                )
        else:
            assert self.base_model is not None
            found = await service.find_base_model(self.base_model)
        client = await service.sampling_client(
            base_model=None if path else found.base_model,
            path=path,
            progress_timeout=self.progress_timeout,
        )
        identity = ModelIdentity(
            backend="tinker",
            base_model=found.base_model,
            checkpoint=str(path) if path else None,
            # a server may change what a base model's name stands for: it is never reused
            session=None if path else "base",
            renderer_name=found.renderer_name,
            context_length=found.context_length,
        )
        cap = client.retry_handler.config.max_connections or DISPATCHED_AT_ONCE
        return OpenedModel(
            client,
            identity,
            await self._load_tokenizer(service, client, found.base_model),
            max_in_flight=min(cap, DISPATCHED_AT_ONCE),
        )

    async def _load_tokenizer(
        self, service: TinkerService, client: Client, base_model: str
    ) -> Tokenizer:
        def load() -> Tokenizer:
            if self.tokenizer is not None:
                return get_tokenizer(self.tokenizer)
            return tokenizer_of(client)

        try:
            return await within(in_daemon_thread(load), TOKENIZER_SECONDS)
        except Overdue:
            reason = f"it took longer than {TOKENIZER_SECONDS:.0f} s"
        except Exception as error:
            reason = one_line(error)
        raise BackendError(
            service.without_secrets(f"its tokenizer can't be loaded ({reason})"),
            where=self.tokenizer or base_model,
            fix="name a hub id or a folder with the option 'tokenizer'",
        )
