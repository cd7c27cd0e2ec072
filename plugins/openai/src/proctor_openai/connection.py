"""The way to a server: its key, its deadlines, and what its refusals mean."""

from __future__ import annotations

import asyncio
import difflib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from proctor import BackendError, keep_secret, retry_delay, without_credentials

if TYPE_CHECKING:
    import openai

Result = TypeVar("Result")

PREFLIGHT_SECONDS = 12.0
"""Seconds for each request that is made before anything is sampled."""

RETRIES = 3
"""How often a request that met an infrastructure error is sent again."""


LOADING_SECONDS = 300.0
"""How long a server may take to load its model."""

_LOADING = 503

logger = logging.getLogger("proctor.openai")


class Connection:
    """A client of one server, for one model.

    Args:
        model: The model's name there.
        base_url: The server's address, with its ``/v1``; None for OpenAI's own.
        api_key_env: The environment variable that has the key; None where there is none.
        timeout: Seconds for one request.

    Raises:
        BackendError: The variable is not set.
    """

    def __init__(
        self, model: str, base_url: str | None, api_key_env: str | None, timeout: float
    ) -> None:
        import openai

        key = "none" if api_key_env is None else os.environ.get(api_key_env, "").strip()
        if not key:
            raise BackendError(
                f"the environment has no {api_key_env}, which holds the server's key",
                where=f"openai {model}",
                fix=f"export {api_key_env}=..., or say api_key_env: null for a server without keys",
            )
        self.model = model
        self.timeout = timeout
        base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        self.address = without_credentials(base_url) if base_url else "api.openai.com"
        self._key = key if api_key_env is not None else None
        if api_key_env is not None:
            keep_secret(os.environ[api_key_env], api_key_env)
        self.client: openai.AsyncOpenAI = openai.AsyncOpenAI(
            api_key=key, base_url=base_url, timeout=timeout, max_retries=0
        )

    async def within(self, request: Awaitable[Result], seconds: float | None = None) -> Result:
        """Awaits a request for so long at most: the package's own deadline is for each read."""
        async with asyncio.timeout(seconds or self.timeout):
            return await request

    async def look_at_models(self) -> Any | None:
        """The model's entry in the server's list; None where there is no list, or it is not there.

        Raises:
            BackendError: The server can't be reached.
        """
        import openai

        try:
            listed = await self.within(self.client.models.list(), PREFLIGHT_SECONDS)
        except (openai.APIStatusError, openai.APIResponseValidationError, AttributeError):
            return None  # a list is advice: what counts is whether the server answers
        except Exception as error:
            raise self.refusal(error) from error
        models = list(getattr(listed, "data", None) or [])
        self.known = [str(entry.id) for entry in models]
        return next((entry for entry in models if entry.id == self.model), None)

    known: list[str] = []  # noqa: RUF012, replaced as a whole
    """The models that the server lists."""

    async def patiently(self, request: Callable[[], Awaitable[Result]]) -> Result:
        """Awaits a first request; a server that says that it is loading its model is waited for.

        Raises:
            BackendError: The server does not do what it is asked.
        """
        import openai

        until = time.monotonic() + LOADING_SECONDS
        is_told = False
        while True:
            try:
                return await request()
            except openai.InternalServerError as error:
                asked = retry_delay(error, 1)
                if error.status_code != _LOADING or time.monotonic() + asked > until:
                    raise self.refusal(error) from error
                if not is_told:
                    is_told = True
                    logger.warning(
                        "%s is not ready (%s); waiting for up to %.0f s",
                        self.address,
                        self.said(str(error)),
                        LOADING_SECONDS,
                    )
                await asyncio.sleep(asked)
            except Exception as error:
                raise self.refusal(error) from error

    def refusal(self, error: BaseException) -> BackendError:
        """Why the server did not do what it was asked, in one line with what to do."""
        import openai

        where = f"openai {self.model} at {self.address}"
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return BackendError(
                f"the server refuses the key: {self.said(error)}",
                where=where,
                fix="look at the variable that api_key_env names",
            )
        if isinstance(error, openai.NotFoundError):
            near = difflib.get_close_matches(self.model, self.known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
            return BackendError(
                f"the server has no such model or no such path: {self.said(error)}",
                where=where,
                fix=hint or "look at the model's name, and whether base_url ends with /v1",
            )
        if isinstance(error, (TimeoutError, openai.APITimeoutError)):
            return BackendError(
                "the server gives no answer", where=where, fix="look whether it hangs"
            )
        if isinstance(error, openai.APIConnectionError):
            return BackendError(
                f"the server can't be reached: {self.said(error.__cause__ or error)}",
                where=where,
                fix="look at base_url, and whether the server runs",
            )
        return BackendError(f"the server refuses: {self.said(error)}", where=where)

    def said(self, error: BaseException | str) -> str:
        """An error's message in one line, without the key, which some servers repeat."""
        text = " ".join(str(error).split()) or type(error).__name__
        return (text.replace(self._key, "(the key)") if self._key else text)[:300]

    async def close(self) -> None:
        """Closes the connection."""
        await self.client.close()
