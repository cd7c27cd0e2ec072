"""The backend ``openai``: any server with OpenAI's HTTP API."""

from __future__ import annotations

import asyncio
from typing import Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from proctor import (
    Backend,
    ChatModel,
    ConfigError,
    ModelIdentity,
    OpenedModel,
    get_tokenizer,
    without_credentials,
)
from proctor_openai.connection import Connection


class OpenAIBackend(Backend):
    """A model behind OpenAI's HTTP API: OpenAI, vLLM, llama.cpp, OpenRouter."""

    model: str
    """The model's name on the server."""
    base_url: str | None = None
    """The server's address, such as ``http://localhost:8000/v1``; without it, OpenAI's own."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """The environment variable that holds the key; null for a server without keys."""
    tokenizer: str | None = None
    """For evaluation: the model's tokenizer, a folder or a name on the hub; else the model's."""
    structured_output: Literal["auto", "yes", "no"] = "auto"
    """As a judge: whether replies can be held to a JSON schema; ``auto`` finds out."""
    context_length: int | None = Field(default=None, ge=1)
    """Most tokens of prompt and answer; without it, what the server says."""
    request_timeout: float = Field(default=600.0, gt=0)
    """Seconds for one request."""
    max_in_flight: int = Field(default=64, ge=1)
    """Most requests at once."""

    _connections: list[Connection] = PrivateAttr(default_factory=list)
    _url: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _keep_credentials(self) -> Self:
        """The address with its credentials is for the connection alone."""
        if self.base_url is not None and self._url is None:
            self._url = self.base_url
            try:
                self.base_url = without_credentials(self.base_url)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return self

    async def open_model(self) -> OpenedModel:
        """Opens the model for evaluation, on a server that takes and gives token ids.

        Raises:
            BackendError: The server can't be reached, refuses the key or the model, or gives no
                token ids.
            TokenizerError: The tokenizer can't be loaded.
        """
        from proctor_openai.completions import TokenClient

        connection = self._connect(self.request_timeout)
        entry = await connection.look_at_models()
        tokenizer = await asyncio.to_thread(get_tokenizer, self.tokenizer or self.model)
        client = TokenClient(connection, tokenizer)
        await client.check()
        identity = ModelIdentity(
            backend="openai",
            base_model=self.model,
            session=f"{connection.address}#{self.model}",
            context_length=self.context_length or getattr(entry, "max_model_len", None),
        )
        return OpenedModel(
            client, identity, tokenizer, self.max_in_flight, seed_covers_samples=True
        )

    async def open_chat_model(
        self, renderer: str | None = None, *, request_timeout: float | None = None
    ) -> ChatModel:
        """Opens the model as a judge; the server renders its prompts.

        Raises:
            BackendError: The server can't be reached, or refuses the key or the model.
        """
        from proctor_openai.chat import OpenAIChatModel

        connection = self._connect(request_timeout or self.request_timeout)
        await connection.look_at_models()
        chat = OpenAIChatModel(connection, self.max_in_flight)
        await chat.check({"auto": None, "yes": True, "no": False}[self.structured_output])
        return chat

    def _connect(self, timeout: float) -> Connection:
        connection = Connection(self.model, self._url, self.api_key_env, timeout)
        self._connections.append(connection)
        return connection

    async def close(self) -> None:
        """Closes the connections."""
        connections, self._connections = self._connections, []
        for connection in connections:
            await connection.close()
