"""Pairs: from the outcomes of one grader to its estimate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from proctor.scoring.estimates import Estimate, SubsetEstimate
from proctor.scoring.intervals import Floats, MeanEstimate, estimate_mean
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
    total, present = pairs.values.size, ~np.isnan(pairs.values)
    clusters = np.broadcast_to(pairs.clusters[:, None], pairs.values.shape)
    mean = estimate_mean(
        pairs.values[present], clusters[present], scale=scale, proportion=proportion
    )
    samples = int(present.sum())
    tally = np.bincount(pairs.outcomes.ravel(), minlength=len(OUTCOME_CODES) + 1)
    counts = {outcome: int(tally[code]) for outcome, code in OUTCOME_CODES.items()}
    # With nothing missing pass@1 and maj@1 are the score, and so have its interval.
    whole = mean if total and samples == total else None
    pass_at: dict[int, SubsetEstimate] = {}
    maj_at: dict[int, SubsetEstimate] = {}
    if num_samples > 1 and proportion:
        pass_at = _pass_at_k(pairs, present, scale, best, min_coverage, whole)
    if num_samples > 1 and pairs.answers is not None:
        values_at = _maj_values(pairs, present)
        maj_at = _for_each_k(pairs, present, scale, min_coverage, whole, values_at)
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
        score_complete=_over_complete(pairs) if counts[Outcome.TRUNCATED] else None,
        worst=worst,
        best=best,
        proportion=proportion,
        pass_at_k=pass_at,
        maj_at_k=maj_at,
        interval_doubt=mean.untrusted,
    )


def _pass_at_k(
    pairs: Pairs,
    present: npt.NDArray[np.bool_],
    scale: tuple[float, float] | None,
    best: float,
    min_coverage: float,
    whole: MeanEstimate | None,
) -> dict[int, SubsetEstimate]:
    correct = (pairs.values == best).sum(axis=1)
    at_1 = None if whole is None or scale is None else _as_share_of_best(whole, scale)
    return _for_each_k(pairs, present, (0.0, 1.0), min_coverage, at_1, _pass_values(correct))


def _as_share_of_best(mean: MeanEstimate, scale: tuple[float, float]) -> MeanEstimate:
    """The score of a proportion as the share of answers that are best."""
    worst, best = scale
    score, low, high = (
        (value - worst) / (best - worst) for value in (mean.mean, mean.ci_low, mean.ci_high)
    )
    stderr = mean.stderr / abs(best - worst)
    low, high = min(low, high), max(low, high)
    return replace(mean, mean=score, stderr=stderr, ci_low=low, ci_high=high)


def _over_complete(pairs: Pairs) -> float:
    """The mean over complete answers; NaN where there are none."""
    complete = pairs.values[pairs.outcomes == OUTCOME_CODES[Outcome.GRADED]]
    return float(complete.mean()) if len(complete) else math.nan


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
    at_1: MeanEstimate | None,
    values_at_k: ValuesAtK,
) -> dict[int, SubsetEstimate]:
    """The estimate for each k: one value an example, whose mean is one of graded values.

    Args:
        pairs: The pairs.
        present: Which of them are not missing.
        scale: The ends that a value can't pass, as (worst, best).
        min_coverage: The least share of examples that a metric must stand on.
        at_1: The estimate for k = 1, where it is known to be the score's.
        values_at_k: The value of each example.
    """
    examples, num_samples = present.shape
    held = present.sum(axis=1)
    estimates = {}
    for k in reported_ks(num_samples):
        rows = np.flatnonzero(held >= k)
        values = values_at_k(k, rows, held[rows])
        mean = estimate_mean(values, pairs.clusters[rows], scale=scale)
        spread = at_1 if k == 1 and at_1 is not None else mean
        coverage = len(rows) / examples if examples else 0.0
        estimates[k] = SubsetEstimate(
            score=mean.mean,
            stderr=spread.stderr,
            ci_low=spread.ci_low,
            ci_high=spread.ci_high,
            n=len(rows),
            coverage=coverage,
            reported=len(rows) > 0 and coverage >= min_coverage,
            interval_doubt=spread.untrusted,
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
