"""The ledger: what became of every (sample, grader) pair of an evaluation, in flat arrays."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from proctor.errors import ConfigError
from proctor.scoring.estimates import Estimate
from proctor.scoring.grades import checked_value
from proctor.scoring.pairs import OUTCOME_CODES, Pairs, estimate_pairs
from proctor.scoring.whole_dataset import DrawnRows, WholeDatasetMean, estimate_whole_dataset
from proctor.types import Example, Outcome

Number = TypeVar("Number", bound=np.generic)

MOST_GROUPS = 1000
"""Most values of one ``by`` field; more is a field that tells rows apart, not groups."""


@dataclass(frozen=True, slots=True)
class LedgerColumn:
    """One grader's place in the ledger.

    Attributes:
        grader: Its name within the evaluator.
        worst: The value of the worst grade; None where truncated and malformed answers are missing.
        best: The value of the best grade.
        proportion: Whether every grade is yes or no.

    Raises:
        ConfigError: The scale has no length, or no end.
    """

    grader: str
    worst: float | None = 0.0
    best: float = 1.0
    proportion: bool = False

    def __post_init__(self) -> None:
        if not math.isfinite(self.best) or not math.isfinite(self.worst or 0.0):
            raise ConfigError(
                f"the scale {self.worst} to {self.best} is not finite",
                where=f"grader {self.grader}",
                fix="give worst and best as numbers, or worst as None",
            )
        if self.worst == self.best:
            raise ConfigError(
                f"worst and best are both {self.best:g}",
                where=f"grader {self.grader}",
                fix="give the scale two different ends",
            )
        if self.proportion and self.worst is None and self.best not in (0.0, 1.0):
            raise ConfigError(
                f"a yes or no grade without a worst value has best = {self.best:g}",
                where=f"grader {self.grader}",
                fix="use 1 or 0 for best",
            )

    @property
    def scale(self) -> tuple[float, float] | None:
        """The ends of the scale, (worst, best); None where it is open."""
        if self.worst is not None:
            return self.worst, self.best
        return (1.0 - self.best, self.best) if self.proportion else None

    def checked_value(self, value: object) -> float | None:
        """A verdict as a number on this scale; None where it is no usable grade."""
        return checked_value(value, self.worst, self.best, proportion=self.proportion)


class _Cells:
    """The pairs of one grader, a fixed number for each row: 9 bytes a pair, 17 with answers."""

    def __init__(self) -> None:
        self.values = array("d")
        self.outcomes = array("B")
        self.answers: array[int] | None = None


def metadata_text(example: Example, path: str) -> str | None:
    """The value of a field such as ``metadata.subject``, as clusters and groups have it."""
    value = example.metadata.get(path.split(".", 1)[1])
    return None if value is None else str(value)


class Ledger:
    """All outcomes of an evaluation; metrics read nothing else.

    Each (row, sample, grader) has one cell: recording it again replaces what was there, and results
    do not depend on the order in which outcomes arrive. A cell of an added example that nothing was
    recorded for is missing, like a failed request. One thread records.

    Args:
        columns: The graders; the first one gives the evaluator's score.
        num_samples: Samples of each example.
        by: The fields for whose values there are estimates of their own.

    Raises:
        ConfigError: There is no grader, or two have one name.
        ValueError: ``num_samples`` is below 1.
    """

    def __init__(
        self, columns: Sequence[LedgerColumn], num_samples: int = 1, by: Sequence[str] = ()
    ) -> None:
        names = [column.grader for column in columns]
        if not names:
            raise ConfigError("nothing grades the answers", fix="add a grader")
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ConfigError(
                f"two graders are called {', '.join(twice)}", fix="give each its own name"
            )
        if num_samples < 1:
            raise ValueError(f"num_samples is {num_samples}")
        self.columns = tuple(columns)
        self.num_samples = num_samples
        self.by = tuple(by)
        self._columns = {column.grader: column for column in columns}
        self._cells = {name: _Cells() for name in names}
        self._clusters = array("q")
        self._group_codes = [array("i") for _ in self.by]
        self._group_values: list[dict[str, int]] = [{} for _ in self.by]
        self._blank_values = array("d", [math.nan] * num_samples)
        self._blank_outcomes = array("B", [0] * num_samples)
        self._blank_answers = array("q", [-1] * num_samples)

    def __len__(self) -> int:
        """How many examples were added."""
        return len(self._clusters)

    def add_example(self, cluster: str | None = None, groups: Sequence[str | None] = ()) -> int:
        """Adds an example, in dataset order.

        Args:
            cluster: ``metadata.cluster``; None where the example is independent of all others.
            groups: The value of each ``by`` field; None where the example has none.

        Returns:
            The row, by which outcomes are recorded.

        Raises:
            ConfigError: A ``by`` field has more than a thousand values.
            ValueError: There are not as many groups as ``by`` fields.
        """
        if len(groups) != len(self.by):
            raise ValueError(f"{len(groups)} groups for the fields {self.by}")
        row = len(self._clusters)
        # Hashes of 63 bits; rows of their own are below zero, so that neither meets the other.
        self._clusters.append(-row - 1 if cluster is None else _hash(cluster))
        for position, value in enumerate(groups):
            self._group_codes[position].append(self._group_code(position, value))
        for cells in self._cells.values():
            cells.values.extend(self._blank_values)
            cells.outcomes.extend(self._blank_outcomes)
            if cells.answers is not None:
                cells.answers.extend(self._blank_answers)
        return row

    def record(
        self,
        row: int,
        sample_index: int,
        grader: str,
        outcome: Outcome,
        value: float | None = None,
        answer: str | None = None,
    ) -> Outcome:
        """Records what became of one pair.

        A truncated or malformed answer is worth the worst value, unless the grader opted in to
        see it: then it is worth the grade, and its outcome is still ``truncated``, so that it is
        counted and is no complete answer. A value that is off the scale is never in a score: its
        outcome becomes ``ungraded``.

        Args:
            row: The example, as ``add_example`` numbered it.
            sample_index: Which of its samples, from 0.
            grader: The grader's name.
            outcome: What became of the pair.
            value: The grade; None or NaN where there is none. Of no account where the pair is
                missing.
            answer: The answer as the grader reads it, for maj@k.

        Returns:
            The outcome as it was recorded.

        Raises:
            IndexError: There is no such row or sample.
            KeyError: There is no such grader.
        """
        if not 0 <= row < len(self) or not 0 <= sample_index < self.num_samples:
            raise IndexError(f"no sample {sample_index} of row {row} in this ledger")
        column, cells = self._columns[grader], self._cells[grader]
        number: float | None = None
        if outcome in (Outcome.TRUNCATED, Outcome.MALFORMED) and (value is None or value != value):
            number = column.worst
        elif outcome not in (Outcome.UNGRADED, Outcome.FAILED):
            number = column.checked_value(value)
            if number is None:
                outcome = Outcome.UNGRADED
        cell = row * self.num_samples + sample_index
        cells.values[cell] = math.nan if number is None else number
        cells.outcomes[cell] = OUTCOME_CODES[outcome]
        if answer is not None and self.num_samples > 1 and cells.answers is None:
            cells.answers = self._blank_answers * len(self)
        if cells.answers is not None:
            cells.answers[cell] = -1 if answer is None else _hash(answer)
        return outcome

    def group_values(self, field: str) -> list[str | None]:
        """The values of a ``by`` field that occur, sorted; None, last, stands for rows without one.

        Raises:
            ValueError: The ledger does not keep that field.
        """
        position = self.by.index(field)
        known: list[str | None] = [*sorted(self._group_values[position])]
        return [*known, None] if -1 in self._group_codes[position] else known

    def estimate(
        self,
        grader: str,
        group: tuple[str, str | None] | None = None,
        *,
        min_coverage: float = 0.95,
    ) -> Estimate:
        """What the ledger says about one grader's score.

        Args:
            grader: The grader's name.
            group: A ``by`` field and one of its values, for the score of those examples only.
            min_coverage: The least share of examples that pass@k and maj@k must stand on.

        Raises:
            KeyError: There is no such grader.
            ValueError: The ledger does not keep that field.
        """
        column, cells = self._columns[grader], self._cells[grader]
        shape = (len(self), self.num_samples)
        answers = cells.answers
        pairs = Pairs(
            values=_view(cells.values, np.float64).reshape(shape),
            outcomes=_view(cells.outcomes, np.uint8).reshape(shape),
            answers=None if answers is None else _view(answers, np.int64).reshape(shape),
            clusters=_view(self._clusters, np.int64),
        )
        if group is not None:
            field, value = group
            position = self.by.index(field)
            code = -1 if value is None else self._group_values[position].get(value, -2)
            pairs = pairs.rows(_view(self._group_codes[position], np.int32) == code)
        return estimate_pairs(
            pairs,
            worst=column.worst,
            best=column.best,
            scale=column.scale,
            proportion=column.proportion,
            min_coverage=min_coverage,
        )

    def estimate_whole_dataset(self, grader: str, drawn: DrawnRows) -> WholeDatasetMean | None:
        """The score that all rows of the dataset would have by a grader.

        Args:
            grader: The grader's name.
            drawn: The ledger's rows as a sample of the dataset.

        Returns:
            The estimate; None where a pair is missing, the scale is open, or the rows are no sample
            that tells.

        Raises:
            KeyError: There is no such grader.
        """
        column = self._columns[grader]
        values = _view(self._cells[grader].values, np.float64).reshape(len(self), self.num_samples)
        if column.scale is None or len(drawn.strata) != len(self) or np.isnan(values).any():
            return None
        return estimate_whole_dataset(values, drawn, column.scale, proportion=column.proportion)

    def _group_code(self, position: int, value: str | None) -> int:
        if value is None:
            return -1
        codes = self._group_values[position]
        if value not in codes and len(codes) >= MOST_GROUPS:
            raise ConfigError(
                f"the field {self.by[position]} has more than {MOST_GROUPS} values",
                where="by",
                fix="name a field that many examples share a value of",
            )
        return codes.setdefault(value, len(codes))


def _hash(text: str) -> int:
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 1


def _view(numbers: array[int] | array[float], kind: type[Number]) -> npt.NDArray[Number]:
    return np.frombuffer(numbers, dtype=kind) if len(numbers) else np.empty(0, dtype=kind)
