"""A Tinker server, asked with deadlines of our own.

The SDK tries again for over five minutes, and says nothing, when its server is down.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from proctor.errors import BackendError, ConfigError, ProctorError, one_line
from proctor.redaction import without_credentials
from proctor.sampling.tinker.address import NotThere, touch
from proctor.sampling.tinker.paths import CheckpointPath
from proctor.waiting import Overdue, in_daemon_thread, within

if TYPE_CHECKING:
    import tinker

Answer = TypeVar("Answer")

PREFLIGHT_SECONDS = 25.0
"""For all that is asked before anything is sampled."""
STEP_SECONDS = 10.0
"""For one question."""
CLOSE_SECONDS = 3.0

KEY = "TINKER_API_KEY"
KEY_COMMAND = "TINKER_CREDENTIAL_CMD"
URL = "TINKER_BASE_URL"
HOSTED = "the Tinker service"
RENDERER_KEY = "renderer_name"
"""Where tinker-cookbook writes the renderer's name in a training run's metadata."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """What the server says of a model.

    Attributes:
        base_model: The base model's name.
        renderer_name: The renderer that its metadata names.
        context_length: Most tokens of prompt and answer together; None where it doesn't say.
    """

    base_model: str
    renderer_name: str | None = None
    context_length: int | None = None


class TinkerService:
    """One server, for one model.

    Args:
        base_url: Its address; None for that of the environment, else the hosted service.

    Raises:
        ConfigError: The address is none.
    """

    def __init__(self, base_url: str | None = None) -> None:
        self.url = base_url or os.environ.get(URL) or None
        self.shown = without_credentials(self.url) if self.url else HOSTED
        self._until = time.monotonic() + PREFLIGHT_SECONDS
        self._said = _LastWords()
        self._rest: tinker.RestClient | None = None
        self._service: tinker.ServiceClient | None = None
        self._models: list[tinker.types.SupportedModel] = []

    async def connect(self) -> None:
        """Makes sure that the server is there, takes the key, and serves models.

        Raises:
            BackendError: It is not, or doesn't.
        """
        _check_key()
        if (url := self.url) is not None:
            await self._ask(
                "reached", in_daemon_thread(functools.partial(touch, url, STEP_SECONDS + 1))
            )
        logging.getLogger("tinker").addHandler(self._said)
        import tinker

        self._service = tinker.ServiceClient(base_url=self.url)
        # tinker.RestClient() makes its connection under a lock of the whole process: where one
        # server hangs, no other could be asked for minutes
        self._rest = await self._ask("opened", in_daemon_thread(self._service._rest_client))
        assert self._rest is not None
        capabilities = await self._ask("asked for its models", self._rest.get_server_capabilities())
        self._models = list(capabilities.supported_models)

    async def find_base_model(self, name: str) -> FoundModel:
        """A base model that the server serves.

        Raises:
            BackendError: It serves none of that name.
        """
        served = [model for model in self._models if model.sampleable is not False]
        names = sorted({model.model_name for model in served if model.model_name})
        if names and name not in names:
            shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise BackendError(
                f"{self.shown} serves no model {name!r}", where="base_model", fix=f"it has: {shown}"
            )
        return FoundModel(name, context_length=self._context_length(name))

    async def find_checkpoint(self, path: CheckpointPath) -> FoundModel:
        """A checkpoint, if it is there.

        Raises:
            BackendError: It was deleted, never was, or may not be read with this key.
        """
        import tinker

        assert self._rest is not None
        refusals = (tinker.NotFoundError, tinker.PermissionDeniedError)
        try:
            run = await self._ask(
                "asked for the training run",
                self._rest.get_training_run(path.run, access_scope="accessible"),
                passed=refusals,
            )
        except refusals:
            return await self._find_public(path)
        try:
            listed = await self._ask(
                "asked for checkpoints", self._rest.list_checkpoints(path.run), passed=refusals
            )
        except refusals:
            listed = None  # a public checkpoint of somebody else's run
        if listed is not None and str(path) not in {c.tinker_path for c in listed.checkpoints}:
            raise self._gone(path, [c.tinker_path for c in listed.checkpoints])
        metadata = dict(run.user_metadata or {})
        for checkpoint in listed.checkpoints if listed else ():
            if checkpoint.tinker_path == str(path):
                metadata |= checkpoint.user_metadata or {}
        return FoundModel(
            run.base_model, metadata.get(RENDERER_KEY) or None, self._context_length(run.base_model)
        )

    async def sampler_checkpoints(self, training_run: str) -> list[str]:
        """The paths of a training run's sampler checkpoints, the oldest first.

        Raises:
            BackendError: There is no such run, or it has none.
        """
        import tinker

        assert self._rest is not None
        run_id = training_run.removeprefix("tinker://").strip("/")
        if not re.fullmatch(r"[^\s/?#]+", run_id):
            raise ConfigError(
                f"{training_run!r} is no training run's id",
                where="training_run",
                fix="give the part of a checkpoint's path between tinker:// and the next slash",
            )
        missing = BackendError(
            f"{self.shown} has no training run {run_id!r}",
            where="training_run",
            fix="check the id, and that the key is of the account that trained it",
        )
        refusals = (tinker.NotFoundError, tinker.PermissionDeniedError)
        try:
            await self._ask(
                "asked for the training run",
                self._rest.get_training_run(run_id, access_scope="accessible"),
                passed=refusals,
            )
            listed = await self._ask(
                "asked for checkpoints", self._rest.list_checkpoints(run_id), passed=refusals
            )
        except refusals:
            raise missing from None
        found = [c for c in listed.checkpoints if c.checkpoint_type == "sampler"]
        if not found:
            raise BackendError(
                f"the training run {run_id!r} has no sampler checkpoint",
                where="training_run",
                fix="save some while training, with save_weights_for_sampler",
            )
        found.sort(key=lambda c: (c.time, _by_numbers(c.tinker_path)))
        return [c.tinker_path for c in found]

    async def sampling_client(
        self, *, base_model: str | None, path: CheckpointPath | None, progress_timeout: float
    ) -> tinker.SamplingClient:
        """Opens a session, and a client that samples from a checkpoint or a base model.

        Raises:
            BackendError: The server refuses it.
        """
        from tinker.lib.retry_handler import RetryConfig

        assert self._service is not None
        create = functools.partial(
            self._service.create_sampling_client,
            model_path=str(path) if path else None,
            base_model=None if path else base_model,
            retry_config=RetryConfig(progress_timeout=progress_timeout),
        )
        return await self._ask("asked to sample", in_daemon_thread(lambda: create().result()))

    async def close(self) -> None:
        """Ends the session, if the server answers to that."""
        service, self._service = self._service, None
        if service is not None:
            # it waits for a session that is still being made; nothing depends on its success
            closing = in_daemon_thread(lambda: service.close("success").result())
            with suppress(Exception):
                await within(closing, CLOSE_SECONDS)
        logging.getLogger("tinker").removeHandler(self._said)

    async def _find_public(self, path: CheckpointPath) -> FoundModel:
        import tinker

        assert self._rest is not None
        refusals = (tinker.NotFoundError, tinker.PermissionDeniedError, tinker.BadRequestError)
        try:
            info = await self._ask(
                "asked for the checkpoint",
                self._rest.get_weights_info_by_tinker_path(str(path)),
                passed=refusals,
            )
        except refusals:
            raise self._gone(path, []) from None
        return FoundModel(info.base_model, None, self._context_length(info.base_model))

    def without_secrets(self, text: str) -> str:
        """A server's words without the key or the address's password, which some repeat."""
        key = os.environ.get(KEY)
        secrets = {key: f"({KEY})"} if key else {}
        if self.url is not None:
            parts = urlsplit(self.url)
            secrets |= {self.url: self.shown}
            secrets |= {part: "(secret)" for part in (parts.password, parts.query) if part}
        for secret, name in secrets.items():
            text = text.replace(secret, name)
        return text if len(text) <= 500 else text[:500] + "..."

    def _gone(self, path: CheckpointPath, others: list[str]) -> BackendError:
        same_kind = sorted((o for o in others if f"/{path.kind}/" in o), key=_by_numbers)
        has = f"; its run has {', '.join(same_kind[-3:])}" if same_kind else ""
        return BackendError(
            f"{self.shown} has no checkpoint {path}{has}",
            where="model_path",
            fix="it was deleted, has expired, or is another account's: name one that is there",
        )

    def _context_length(self, base_model: str) -> int | None:
        for model in self._models:
            if model.model_name == base_model:
                return model.max_context_length
        return None

    async def _ask(
        self,
        what: str,
        question: Awaitable[Answer],
        *,
        passed: tuple[type[Exception], ...] = (),
    ) -> Answer:
        """Awaits an answer, and turns what goes wrong into one line; ``passed`` goes through."""
        seconds = max(0.0, min(STEP_SECONDS, self._until - time.monotonic()))
        try:
            return await within(question, seconds)
        except Overdue:
            said = f" (the SDK says: {self._said.text})" if self._said.text else ""
            raise BackendError(
                self.without_secrets(f"no answer within {seconds:.0f} s when {what}{said}"),
                where=self.shown,
                fix=f"check base_url and {URL}, and whether the server is overloaded",
            ) from None
        except Exception as error:
            if isinstance(error, (ProctorError, *passed)):
                raise
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> BackendError:
        import tinker

        status = getattr(error, "status_code", None)
        if status in (401, 403):
            return BackendError(
                f"the server refused the key ({status})",
                where=self.shown,
                fix=f"set {KEY} to a key of the account that owns the model",
            )
        if status == 402:
            return BackendError(
                "the account has no billing (402)", where=self.shown, fix="set it up in the console"
            )
        if isinstance(error, (NotThere, tinker.APIConnectionError)):
            return BackendError(
                self.without_secrets(f"the server can't be reached ({error})"),
                where=self.shown,
                fix=f"start it, or correct base_url or {URL}",
            )
        if isinstance(error, tinker.TinkerError) and status is None:
            return BackendError(
                self.without_secrets(f"the SDK refuses: {one_line(error)}"),
                where=self.shown,
                fix=f"check {KEY}",
            )
        return BackendError(
            self.without_secrets(f"the server refuses: {one_line(error)}"),
            where=self.shown,
            fix="check base_url, and that the server speaks Tinker's API",
        )


class _LastWords(logging.Handler):
    """Keeps the SDK's last warning, for an error to quote, and off the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a line."""
        self.text = " ".join(record.getMessage().split())[:200]


def _check_key() -> None:
    if os.environ.get(KEY) or os.environ.get(KEY_COMMAND):
        return
    if (Path.home() / ".tinker" / "credentials.json").is_file():
        return
    raise BackendError(
        "there is no key for the Tinker server", where=KEY, fix=f"set {KEY} in the environment"
    )


def _by_numbers(text: str) -> list[tuple[int, str]]:
    """A sort key that puts step 9 before step 10."""
    return [(int(p), "") if p.isdigit() else (0, p) for p in re.split(r"(\d+)", text)]
