"""The order of the rows: whether the first n are like the rest.

For each kind of category (``metadata.stratum``, other fields, the target, the right option's
position) and each n, the shares of the categories in the first n rows are held against those in the
rest, by the test of ``same_shares_p``: if the order says nothing, the first n rows are a random
subset of n. A difference is a finding where its p-value, times the number of tests made
(Bonferroni's bound), is under 0.01, and where a tenth of the rows or more would have to change
category to undo it (the total variation distance), because among many rows trifles are significant.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from proctor.datasets.lint.finding import Finding, gold_position, normalised, target_texts
from proctor.datasets.lint.uniformity import Counts, same_shares_p
from proctor.types import Example, choice_letter

MOST_CATEGORIES = 200
"""A field with more values than this, or with more than half as many as rows, has no categories."""

PREFIXES = (10, 100, 1_000, 10_000)
"""The numbers of first rows that are looked at, where there are twice as many in all."""

SIGNIFICANT = 0.01
LEAST_DISTANCE = 0.1


class _Categories:
    """The category of each row in one respect, 4 bytes a row; None once there are too many."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.codes: array[int] | None = array("i")
        self.labels: dict[str, int] = {}

    def add(self, label: str) -> None:
        if self.codes is None:
            return
        if label not in self.labels and len(self.labels) >= MOST_CATEGORIES:
            self.codes = None
            self.labels = {}
            return
        self.codes.append(self.labels.setdefault(label, len(self.labels)))


class OrderCheck:
    """Finds an order that makes the first n rows unlike the dataset."""

    def __init__(self, *, limit: int | None, by: Iterable[str], seed: int) -> None:
        self._seed = seed
        self._limit = limit
        fields = ["stratum", *(name.removeprefix("metadata.") for name in by)]
        self._fields = [
            (field, _Categories(f"metadata.{field}")) for field in dict.fromkeys(fields)
        ]
        self._target = _Categories("target")
        self._position = _Categories("the right option's position")

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        for field, categories in self._fields:
            value = example.metadata.get(field)
            categories.add("(missing)" if value is None else str(value))
        position = gold_position(example)
        self._position.add("(none)" if position is None else choice_letter(min(position, 25)))
        targets = target_texts(example) if position is None else []
        self._target.add(normalised(targets[0])[:80] if targets else "(none)")

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        tested = []
        for categories in (*(found for _, found in self._fields), self._target, self._position):
            if categories.codes is None or len(categories.labels) < 2:
                continue
            codes = np.array(categories.codes, dtype=np.int64)
            if len(categories.labels) > len(codes) / 2:
                continue
            labels = list(categories.labels)
            everywhere = np.bincount(codes, minlength=len(labels))
            for n in self._prefixes(len(codes)):
                first = np.bincount(codes[:n], minlength=len(labels))
                p = same_shares_p(first, everywhere - first, self._seed)
                tested.append((categories.name, labels, n, first, everywhere, p))
        reported = set()
        for name, labels, n, first, everywhere, p in tested:
            adjusted = min(1.0, p * len(tested))
            distance = _distance(first, everywhere - first)
            if name in reported or adjusted >= SIGNIFICANT or distance < LEAST_DISTANCE:
                continue
            reported.add(name)
            yield _finding(name, labels, n, first, everywhere, adjusted, distance)

    def _prefixes(self, rows: int) -> list[int]:
        wanted = {n for n in PREFIXES if 2 * n <= rows}
        if self._limit is not None and 0 < self._limit < rows:
            wanted.add(self._limit)
        return sorted(wanted)


def _distance(first: Counts, rest: Counts) -> float:
    return float(np.abs(first / first.sum() - rest / rest.sum()).sum() / 2)


def _finding(
    name: str,
    labels: list[str],
    n: int,
    first: Counts,
    everywhere: Counts,
    p: float,
    distance: float,
) -> Finding:
    here, overall = first / n, everywhere / everywhere.sum()
    most = int((here - overall).argmax())
    return Finding(
        "order",
        "warning",
        f"the first {n} rows are unlike the rest in {name}: {here[most]:.0%} of them are "
        f"{labels[most]!r}, of all rows {overall[most]:.0%} (p = {p:.2g})",
        n,
        (),
        "use limit, which takes rows from everywhere, or shuffle; never the first rows",
        {
            "field": name,
            "first": n,
            "p": p,
            "distance": distance,
            "category": labels[most],
            "share_in_first": float(here[most]),
            "share_in_all": float(overall[most]),
        },
    )
