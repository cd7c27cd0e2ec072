"""The grader ``embedding``: cosine similarity of answer and target."""

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the grader."""
    registry.grader("embedding", "proctor_embedding.embedding:Embedding")
