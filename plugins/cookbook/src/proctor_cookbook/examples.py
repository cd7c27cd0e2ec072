"""A benchmark's examples: their ids, and which of them are evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from proctor import Dataset, Example, select

if TYPE_CHECKING:
    from tinker_cookbook.rl.types import Env


class _Rows(Dataset):
    """A benchmark's examples by id, for choosing some of them."""

    rows: list[Example]
    """The rows."""

    def examples(self) -> Iterator[Example]:
        return iter(self.rows)


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


def choose_examples(ids: Sequence[str], limit: int | None, seed: int) -> list[int]:
    """The places of the examples to evaluate: the rule of ``limit`` is Proctor's."""
    rows = _Rows(rows=[Example(id=known, input=known) for known in ids])
    selection = select(rows, (), limit=limit, seed=seed)
    places = {known: place for place, known in enumerate(ids)}
    return [places[example.id] for _, example in selection.rows()]
