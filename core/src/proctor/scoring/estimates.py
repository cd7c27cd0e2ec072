"""Estimates: what the outcomes of one grader say about its score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from proctor.scoring.intervals import Floats, IntervalMethod, MeanEstimate, estimate_mean
from proctor.scoring.pass_at_k import maj_at_k, pass_at_k, reported_ks
from proctor.types import Outcome

OUTCOME_CODES = {outcome: code for code, outcome in enumerate(Outcome, start=1)}
"""The byte that stands for each outcome; 0 is a pair that nothing was recorded for."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The (sample, grader) pairs of one grader.

    Attributes:
        values: What each pair is worth, shape (examples, samples); NaN where it is missing.
        outcomes: Its outcome's code, same shape.
        answers: A hash of its answer, -1 for none, same shape; None where no answer is known.
        clusters: The cluster of each example, shape (examples,).
    """

    values: Floats
    outcomes: npt.NDArray[np.uint8]
    answers: npt.NDArray[np.int64] | None
    clusters: npt.NDArray[np.int64]

    def rows(self, which: npt.NDArray[np.bool_]) -> Pairs:
        """The pairs of some of the examples."""
        answers = None if self.answers is None else self.answers[which]
        return Pairs(self.values[which], self.outcomes[which], answers, self.clusters[which])


@dataclass(frozen=True, slots=True)
class SubsetEstimate:
    """pass@k or maj@k for one k, over the examples that have k samples which are not missing.

    Attributes:
        score: The mean over those examples; NaN where there are none.
        stderr: Its standard error; NaN where it can't be told.
        ci_low: The lower end of the 95% interval.
        ci_high: The upper end.
        n: How many examples have k samples.
        coverage: Their share of all examples.
        reported: Whether the coverage is enough for the score to be a metric.
    """

    score: float
    stderr: float
    ci_low: float
    ci_high: float
    n: int
    coverage: float
    reported: bool

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON; null for what is not known."""
        return {
            "score": known(self.score),
            "stderr": known(self.stderr),
            "ci_low": known(self.ci_low),
            "ci_high": known(self.ci_high),
            "n": self.n,
            "coverage": self.coverage,
            "reported": self.reported,
        }


@dataclass(frozen=True, slots=True)
class Estimate:
    """A grader's score, and how far it can be trusted.

    What is not known is NaN here and null in JSON, never 0.

    Attributes:
        score: The mean over all pairs that are not missing; NaN where all are.
        stderr: Its clustered standard error.
        ci_low: The lower end of the 95% interval, whichever end of the scale is better.
        ci_high: The upper end.
        method: How the interval was made.
        n: Examples with a pair that is not missing.
        clusters: Clusters of those examples.
        samples: Pairs that are not missing.
        pairs: All pairs.
        examples: All examples.
        coverage: ``samples / pairs``; 0 where there are none.
        bounds: The score if all missing pairs were worst, and if all were best; None on a scale
            without a worst value while pairs are missing.
        counts: Pairs of each outcome.
        unrecorded: Pairs that nothing was recorded for; they are missing.
        score_complete: The score over complete answers; None where no answer was truncated.
        worst: The worst value of the scale; None where it is open.
        best: The best value of the scale.
        proportion: Whether every grade is yes or no.
        pass_at_k: pass@k by k, for proportions with several samples an example.
        maj_at_k: maj@k by k, where answers are known and examples have several samples.
    """

    score: float
    stderr: float
    ci_low: float
    ci_high: float
    method: IntervalMethod
    n: int
    clusters: int
    samples: int
    pairs: int
    examples: int
    coverage: float
    bounds: tuple[float, float] | None
    counts: dict[Outcome, int]
    unrecorded: int
    score_complete: float | None
    worst: float | None
    best: float
    proportion: bool
    pass_at_k: dict[int, SubsetEstimate] = field(default_factory=dict)
    maj_at_k: dict[int, SubsetEstimate] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Pairs that are in no score."""
        return self.pairs - self.samples

    @property
    def lower_is_better(self) -> bool:
        """Whether the scale runs downwards."""
        return self.worst is not None and self.best < self.worst

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON; null for what is not known."""
        complete = self.score_complete
        return {
            "score": known(self.score),
            "stderr": known(self.stderr),
            "ci_low": known(self.ci_low),
            "ci_high": known(self.ci_high),
            "interval": self.method,
            "n": self.n,
            "clusters": self.clusters,
            "samples": self.samples,
            "pairs": self.pairs,
            "examples": self.examples,
            "coverage": self.coverage,
            "bounds": None
            if self.bounds is None
            else {"all_missing_worst": self.bounds[0], "all_missing_best": self.bounds[1]},
            "counts": {str(outcome): count for outcome, count in self.counts.items()},
            "unrecorded": self.unrecorded,
            "score_complete": None if complete is None else known(complete),
            "scale": {"worst": self.worst, "best": self.best, "proportion": self.proportion},
            "pass_at_k": {str(k): at_k.to_json() for k, at_k in self.pass_at_k.items()},
            "maj_at_k": {str(k): at_k.to_json() for k, at_k in self.maj_at_k.items()},
        }


def known(number: float) -> float | None:
    """A number for JSON: None where it is NaN or infinite."""
    return number if math.isfinite(number) else None


def estimate_pairs(
    pairs: Pairs,
    *,
    worst: float | None,
    best: float,
    scale: tuple[float, float] | None,
    proportion: bool,
    min_coverage: float,
) -> Estimate:
    """The estimate of a grader's pairs.

    Args:
        pairs: The pairs; truncated and malformed ones already hold what they are worth.
        worst: The worst value; None where truncated and malformed answers are missing.
        best: The best value.
        scale: The ends that a value can't pass, as (worst, best); None where it is open.
        proportion: Whether every grade is yes or no.
        min_coverage: The least share of examples that pass@k and maj@k must stand on.
    """
    examples, num_samples = pairs.values.shape
    total = pairs.values.size
    present = ~np.isnan(pairs.values)
    clusters = np.broadcast_to(pairs.clusters[:, None], pairs.values.shape)
    mean = estimate_mean(
        pairs.values[present], clusters[present], scale=scale, proportion=proportion
    )
    samples = int(present.sum())
    tally = np.bincount(pairs.outcomes.ravel(), minlength=len(OUTCOME_CODES) + 1)
    counts = {outcome: int(tally[code]) for outcome, code in OUTCOME_CODES.items()}
    score_complete = None
    if counts[Outcome.TRUNCATED]:
        complete = pairs.values[pairs.outcomes == OUTCOME_CODES[Outcome.GRADED]]
        score_complete = float(complete.mean()) if len(complete) else math.nan
    pass_at: dict[int, SubsetEstimate] = {}
    maj_at: dict[int, SubsetEstimate] = {}
    if num_samples > 1 and proportion:
        correct = (pairs.values == best).sum(axis=1)
        pass_at = _for_each_k(pairs, present, (0.0, 1.0), min_coverage, _pass_values(correct))
    if num_samples > 1 and pairs.answers is not None:
        maj_at = _for_each_k(pairs, present, scale, min_coverage, _maj_values(pairs, present))
    return Estimate(
        score=mean.mean,
        stderr=mean.stderr,
        ci_low=mean.ci_low,
        ci_high=mean.ci_high,
        method=mean.method,
        n=int(present.any(axis=1).sum()) if examples else 0,
        clusters=mean.clusters,
        samples=samples,
        pairs=total,
        examples=examples,
        coverage=samples / total if total else 0.0,
        bounds=_bounds(mean, samples, total, scale),
        counts=counts,
        unrecorded=int(tally[0]),
        score_complete=score_complete,
        worst=worst,
        best=best,
        proportion=proportion,
        pass_at_k=pass_at,
        maj_at_k=maj_at,
    )


def _bounds(
    mean: MeanEstimate, samples: int, total: int, scale: tuple[float, float] | None
) -> tuple[float, float] | None:
    if not total:
        return None
    if samples == total:
        return mean.mean, mean.mean
    if scale is None:
        return None
    held = mean.mean * samples if samples else 0.0
    worst, best = ((held + end * (total - samples)) / total for end in scale)
    return worst, best


ValuesAtK = Callable[[int, npt.NDArray[np.int64], npt.NDArray[np.int64]], Floats]
"""From k, the rows of examples with k samples, and how many they have, to a value for each."""


def _for_each_k(
    pairs: Pairs,
    present: npt.NDArray[np.bool_],
    scale: tuple[float, float] | None,
    min_coverage: float,
    values_at_k: ValuesAtK,
) -> dict[int, SubsetEstimate]:
    examples, num_samples = present.shape
    held = present.sum(axis=1)
    estimates = {}
    for k in reported_ks(num_samples):
        rows = np.flatnonzero(held >= k)
        values = values_at_k(k, rows, held[rows])
        # A mean of chances in 0 to 1 has Wilson's interval: it varies at most as a proportion does.
        mean = estimate_mean(values, pairs.clusters[rows], scale=scale, proportion=True)
        coverage = len(rows) / examples if examples else 0.0
        estimates[k] = SubsetEstimate(
            score=mean.mean,
            stderr=mean.stderr,
            ci_low=mean.ci_low,
            ci_high=mean.ci_high,
            n=len(rows),
            coverage=coverage,
            reported=len(rows) > 0 and coverage >= min_coverage,
        )
    return estimates


def _pass_values(correct: npt.NDArray[np.int64]) -> ValuesAtK:
    def values_at_k(k: int, rows: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> Floats:
        cases, which = np.unique(
            np.stack([held, correct[rows]], axis=1), axis=0, return_inverse=True
        )
        chances = np.array([pass_at_k(int(n), int(right), k) for n, right in cases], dtype=float)
        return chances[which.ravel()]

    return values_at_k


def _maj_values(pairs: Pairs, present: npt.NDArray[np.bool_]) -> ValuesAtK:
    answers = pairs.answers
    assert answers is not None

    def values_at_k(k: int, rows: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> Floats:
        values = np.empty(len(rows))
        for position, row in enumerate(rows):
            here = present[row]
            said = [None if answer < 0 else answer for answer in answers[row, here].tolist()]
            values[position] = maj_at_k(said, pairs.values[row, here], k)
        return values

    return values_at_k
