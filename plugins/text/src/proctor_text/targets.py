"""Targets that can be compared with an answer."""

from __future__ import annotations

from proctor import DatasetError, Example


def refuse_empty_targets(example: Example) -> None:
    """Looks for a target without a text, which no answer can be held to.

    Raises:
        DatasetError: There is one.
    """
    if any(not target.strip() for target in example.targets):
        raise DatasetError(
            f"row {example.id!r} has an empty target", fix="remove it, or give it a text"
        )
