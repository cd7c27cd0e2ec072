"""Targets that can be compared with an answer."""

from __future__ import annotations

from proctor import DatasetError, Example


def usable_targets(example: Example) -> list[str]:
    """The targets with a text; an alias without one is left out.

    Raises:
        DatasetError: No target has a text, so that no answer could be held to one.
    """
    usable = [target for target in example.targets if target.strip()]
    if not usable:
        raise DatasetError(
            f"row {example.id!r} has an empty target", fix="remove it, or give it a text"
        )
    return usable
