"""What a grader made of a sample, and what is a usable grade."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from proctor.types import Grade, Metadata, Outcome

if TYPE_CHECKING:
    from proctor.scoring.estimates import Estimate


def checked_value(
    value: object, worst: float | None, best: float, *, proportion: bool = False
) -> float | None:
    """A grader's verdict as a number on its scale. The one place that says what is a usable grade.

    True is the best value and False the worst; where there is no worst value, False is 0 on a scale
    whose best is 1, and 1 where the best is 0.

    Args:
        value: What the grader returned: a ``Grade``, a number or a bool.
        worst: The worst value; None where the scale is open, and any finite number is on it.
        best: The best value.
        proportion: Whether only the two ends of the scale are values.

    Returns:
        The number; None, which makes the outcome ``ungraded``, for what is no number, NaN, infinite
        or outside the scale.
    """
    if isinstance(value, Grade):
        value = value.value
    low_end = worst if worst is not None else {1.0: 0.0, 0.0: 1.0}.get(best)
    if isinstance(value, (bool, np.bool_)):
        end = best if value else low_end
        return None if end is None else float(end)
    if not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    if proportion and number not in (low_end, best):
        return None
    if worst is not None and not min(worst, best) <= number <= max(worst, best):
        return None
    return number


@dataclass(frozen=True, slots=True)
class GradedPair:
    """What a grader made of one sample.

    Attributes:
        outcome: ``graded`` or ``ungraded``.
        grade: The grade, on the grader's scale; None where it is ungraded.
        reason: Why it is ungraded, in one line.
        answer: The answer as the grader reads it, for maj@k.
        metadata: What the grader learnt although it gave no grade.
    """

    outcome: Outcome
    grade: Grade | None = None
    reason: str | None = None
    answer: str | None = None
    metadata: Metadata = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """The grade's value; None where it is ungraded."""
        return self.grade.value if self.grade else None


class GradeTally:
    """What a grader counts over one evaluation, beside its score; the base counts nothing."""

    def add(self, grading: GradedPair) -> None:
        """Takes what the grader made of one sample: a grade, or why there is none."""

    def metrics(self, estimate: Estimate) -> Mapping[str, float]:
        """The counts by name, at the end; they become ``{evaluator}/{grader}/{name}``.

        Args:
            estimate: The grader's score, for what is derived from it.
        """
        return {}

    def notes(self, estimate: Estimate) -> Sequence[str]:
        """What a person should read beside the score, a line each."""
        return ()
