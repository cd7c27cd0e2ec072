"""The backend ``openai``: any server with OpenAI's HTTP API."""

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the backend."""
    registry.backend("openai", "proctor_openai.backend:OpenAIBackend")
