"""What the tests of scores share: ledgers made from short descriptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.types import Outcome

LETTERS = {
    "t": Outcome.TRUNCATED,
    "m": Outcome.MALFORMED,
    "u": Outcome.UNGRADED,
    "f": Outcome.FAILED,
}

Cell = float | str


@pytest.fixture
def make_ledger() -> Callable[..., Ledger]:
    """Builds a ledger of one grader: a number is a grade, a letter another outcome."""

    def make(
        rows: Sequence[Sequence[Cell]],
        *,
        clusters: Sequence[str | None] | None = None,
        answers: Sequence[Sequence[str | None]] | None = None,
        **column: object,
    ) -> Ledger:
        options = {"worst": 0.0, "best": 1.0, "proportion": True} | column
        ledger = Ledger([LedgerColumn("g", **options)], max((len(r) for r in rows), default=1))
        for index, row in enumerate(rows):
            added = ledger.add_example(clusters[index] if clusters else None)
            for sample, cell in enumerate(row):
                answer = answers[index][sample] if answers else None
                if isinstance(cell, str):
                    ledger.record(added, sample, "g", LETTERS[cell], answer=answer)
                else:
                    ledger.record(added, sample, "g", Outcome.GRADED, cell, answer)
        return ledger

    return make
