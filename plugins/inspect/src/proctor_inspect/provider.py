"""The entry point by which Inspect knows ``--model proctor/BACKEND``."""

from typing import Any

from inspect_ai.model import modelapi


@modelapi(name="proctor")
def proctor() -> Any:
    """The models of Proctor's backends."""
    from proctor_inspect.model_api.backend import BackendModelAPI

    return BackendModelAPI
