"""The ids of a benchmark's examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinker_cookbook.rl.types import Env


def example_ids(environments: Sequence[Env]) -> list[str]:
    """The id of each environment's example, numbered where one stands twice.

    An environment that names no example gets its place for an id.
    """
    seen: dict[str, int] = {}
    unique = []
    for place, environment in enumerate(environments):
        known = str(getattr(environment, "example_id", None) or place)
        seen[known] = seen.get(known, 0) + 1
        unique.append(known if seen[known] == 1 else f"{known}#{seen[known]}")
    return unique
