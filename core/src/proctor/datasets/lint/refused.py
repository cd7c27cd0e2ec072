"""Rows that the evaluator itself would refuse, which ends a run before anything is sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from proctor.datasets.lint.finding import Finding, Tally
from proctor.errors import DatasetError
from proctor.types import Example


class RefusedCheck:
    """Finds rows that an evaluator can't use, in its own words.

    Args:
        use: What the evaluator takes from a row; it raises ``DatasetError`` for one that it can't
            use.
        needs_target: Whether rows without a target are found by another check.
    """

    def __init__(self, use: Callable[[Example], object], *, needs_target: bool) -> None:
        self._use = use
        self._needs_target = needs_target
        self._refused = Tally()
        self._first: DatasetError | None = None

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        if self._needs_target and example.target in (None, []):
            return
        try:
            self._use(example)
        except DatasetError as error:
            self._first = self._first or error
            self._refused.add(row)

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        if self._first is not None:
            yield from self._refused.finding(
                "refused-row",
                "error",
                f"the evaluator can't use it: {self._first.what}",
                self._first.fix or "mend the row, or remove it",
            )
