"""The fields that ``by`` names: whether any row has them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from proctor.errors import ConfigError
from proctor.types import Example

_MOST_NAMES = 1000
"""Most names of fields that are kept, to find the near ones."""


class GroupFields:
    """Looks for the fields of ``by`` in rows.

    Args:
        by: The fields, such as ``metadata.subject``.
    """

    def __init__(self, by: Sequence[str]) -> None:
        self._unseen = {path.split(".", 1)[1]: path for path in by}
        self._names: dict[str, None] = {}

    def look(self, example: Example) -> None:
        """Takes the next row."""
        if not self._unseen:
            return
        for name in example.metadata:
            self._unseen.pop(name, None)
            if len(self._names) < _MOST_NAMES:
                self._names.setdefault(name)

    def problem(self) -> tuple[str, str] | None:
        """What is wrong and what to do, if no row so far has a field; None where all were seen."""
        if not self._unseen:
            return None
        name, path = next(iter(self._unseen.items()))
        known = [f"metadata.{other}" for other in self._names]
        near = difflib.get_close_matches(name, self._names, n=3)
        if near:
            fix = "did you mean " + " or ".join(f"'metadata.{other}'" for other in near) + "?"
        elif known:
            fix = f"rows have: {', '.join(known[:20])}"
        else:
            fix = "keep columns with the dataset's 'metadata'"
        return f"'by' names {path!r}, which no row has", fix

    def check(self, where: str) -> None:
        """Refuses a field that no row has.

        Raises:
            ConfigError: There is one.
        """
        if problem := self.problem():
            raise ConfigError(problem[0], where=where, fix=problem[1])
