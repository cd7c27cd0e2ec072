"""The backend ``local``: models that run on this machine, through transformers."""

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the backend."""
    registry.backend("local", "proctor_local.backend:LocalBackend")
