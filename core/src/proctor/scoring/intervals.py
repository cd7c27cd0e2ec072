"""Standard errors and confidence intervals of scores, for samples that come in clusters.

Pure functions of arrays. A cluster is what was drawn independently: one example with all of its
samples, or the examples that ``metadata.cluster`` joins. Sources:

* Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
  Journal of the American Statistical Association 22, 209-212.
* Korn, E. L. and Graubard, B. I. (1998). Confidence intervals for proportions with small expected
  number of positive counts estimated from survey data. Survey Methodology 24, 193-201.
* Miller, E. (2024). Adding error bars to evals. arXiv:2411.00640, section 2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Clusters = npt.NDArray[np.int64]

IntervalMethod = Literal["wilson", "student-t", "bounded", "none"]
"""How an interval was made.

``bounded`` is Wilson's interval for grades that are no proportion but did not vary between
clusters; ``none`` says that there is no interval.
"""

CONFIDENCE = 0.95
"""The confidence level of every interval that Proctor prints."""

_NO_VARIANCE = 1e-12
"""Standard errors below this share of the scale are rounding errors of 0."""


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """A mean with what is known about its error.

    Attributes:
        mean: The mean of all values; NaN where there is none.
        stderr: Its standard error; NaN where fewer than two clusters can't tell.
        ci_low: The lower end of the 95% interval; NaN where there is no interval.
        ci_high: The upper end.
        clusters: How many clusters the values come from.
        method: How the interval was made.
    """

    mean: float
    stderr: float
    ci_low: float
    ci_high: float
    clusters: int
    method: IntervalMethod


NO_ESTIMATE = MeanEstimate(math.nan, math.nan, math.nan, math.nan, 0, "none")
"""What nothing at all says about a mean."""


def t_quantile(degrees_of_freedom: float, confidence: float = CONFIDENCE) -> float:
    """The two-sided quantile of Student's t distribution; infinite without degrees of freedom."""
    from scipy.special import stdtrit

    if degrees_of_freedom <= 0:
        return math.inf
    return float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2))


def cluster_deviations(values: Floats, clusters: Clusters | None) -> Floats:
    """The sum of the deviations from the overall mean, for each cluster."""
    deviations: Floats = values - values.mean()
    if clusters is None:
        return deviations
    _, codes = np.unique(clusters, return_inverse=True)
    return np.bincount(codes, weights=deviations).astype(np.float64, copy=False)


def wilson_interval(
    proportion: float, effective_n: float, degrees_of_freedom: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Wilson's score interval (1927), with a t quantile and an effective sample size.

    With ``q`` the quantile, ``p`` the proportion and ``n`` the effective sample size::

        (p + q**2 / 2n  +-  q * sqrt(p * (1 - p) / n + q**2 / 4n**2)) / (1 + q**2 / n)

    The effective sample size and the t quantile in place of the normal one are Korn and Graubard's
    (1998) for clustered data.

    Args:
        proportion: The share, from 0 to 1.
        effective_n: How many independent samples would have told as much; above 0.
        degrees_of_freedom: Clusters less one. Without any, the interval is all of 0 to 1.
        confidence: The confidence level.

    Returns:
        The ends, which always hold the proportion between them.
    """
    q = t_quantile(degrees_of_freedom, confidence)
    if math.isinf(q):
        return 0.0, 1.0
    ratio = q * q / effective_n
    centre = (proportion + ratio / 2) / (1 + ratio)
    variance = max(0.0, proportion * (1 - proportion))
    half = q * math.sqrt(variance / effective_n + ratio / (4 * effective_n)) / (1 + ratio)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return min(low, proportion), max(high, proportion)


def estimate_mean(
    values: Floats,
    clusters: Clusters | None = None,
    *,
    scale: tuple[float, float] | None = None,
    proportion: bool = False,
    confidence: float = CONFIDENCE,
) -> MeanEstimate:
    """The mean of clustered values, with its standard error and interval.

    * A proportion has Wilson's interval with the effective sample size ``p * (1 - p) / V`` and the
      t quantile with ``G - 1`` degrees of freedom. ``V`` is the clustered variance without the
      correction ``G / (G - 1)``, so that ``N`` independent values count as ``N``. It is never more
      than ``N``: clusters that agree by chance do not make samples out of nothing.
    * Any other mean has Student's t interval, ``mean +- t * SE``, cut at the ends of the scale.
    * Where the clustered variance is 0, neither that error nor that interval is believed: the
      number of clusters is the effective sample size of both. For grades that are no proportion
      this is wider than needed, because a bounded variable varies at most as much as a proportion
      with its mean; without a scale they have no interval.
    * One cluster has no standard error, and an interval as wide as the scale.

    Args:
        values: The grades, without missing ones.
        clusters: The cluster of each value, as any integers; None where each is its own.
        scale: The worst and the best value, either way round; None where there is no such thing.
        proportion: Whether each value is one end of the scale.
        confidence: The confidence level.

    Returns:
        The estimate; all NaN without values.
    """
    if not len(values):
        return NO_ESTIMATE
    low, high = (min(scale), max(scale)) if scale else (-math.inf, math.inf)
    mean = min(max(float(values.mean()), low), high)
    sums = cluster_deviations(values, clusters)
    count = len(sums)
    stderr = _stderr(sums, len(values))
    if count < 2:
        ends = (low, high) if scale else (math.nan, math.nan)
        method: IntervalMethod = ("wilson" if proportion else "bounded") if scale else "none"
        return MeanEstimate(mean, math.nan, *ends, count, method)
    if scale is None:
        if stderr <= _NO_VARIANCE * max(1.0, abs(mean)):
            return MeanEstimate(mean, 0.0, math.nan, math.nan, count, "none")
        return _student_t(mean, stderr, count, confidence)
    width = high - low
    share = (mean - low) / width
    varies = stderr > _NO_VARIANCE * width
    if not varies:
        stderr = width * math.sqrt(share * (1 - share) / count)
    elif not proportion:
        return _student_t(mean, stderr, count, confidence, (low, high))
    effective_n = float(count)
    if varies:
        uncorrected = (stderr / width) ** 2 * (count - 1) / count
        effective_n = min(share * (1 - share) / uncorrected, float(len(values)))
    ends = wilson_interval(share, effective_n, count - 1, confidence)
    method = "wilson" if proportion else "bounded"
    return MeanEstimate(mean, stderr, low + width * ends[0], low + width * ends[1], count, method)


def estimate_ratio(
    numerators: Floats,
    denominators: Floats,
    clusters: Clusters | None = None,
    *,
    confidence: float = CONFIDENCE,
) -> MeanEstimate:
    """A ratio of sums, such as nats per token over examples of different lengths.

    With ``R = sum x / sum y`` and ``d_g`` the sum of ``x - R * y`` in cluster ``g`` of ``G``::

        SE = sqrt(G / (G - 1) * sum_g d_g**2) / sum y

    the linearised standard error of a ratio (Cochran 1977, Sampling Techniques, 3rd ed., section
    2.11), and Student's t interval with ``G - 1`` degrees of freedom, cut at 0.

    Args:
        numerators: ``x`` of each example, 0 or more.
        denominators: ``y`` of each example, above 0.
        clusters: The cluster of each example, as any integers; None where each is its own.
        confidence: The confidence level.

    Returns:
        The estimate; all NaN without examples.
    """
    if not len(numerators):
        return NO_ESTIMATE
    total = float(denominators.sum())
    ratio = float(numerators.sum()) / total
    residuals: Floats = numerators - ratio * denominators
    codes: npt.NDArray[np.intp] = np.arange(len(residuals))
    if clusters is not None:
        _, codes = np.unique(clusters, return_inverse=True)
    sums = np.bincount(codes, weights=residuals).astype(np.float64, copy=False)
    stderr = _stderr(sums, 1) / total
    if len(sums) < 2 or stderr <= _NO_VARIANCE * max(1.0, ratio):
        return MeanEstimate(ratio, stderr, math.nan, math.nan, len(sums), "none")
    return _student_t(ratio, stderr, len(sums), confidence, (0.0, math.inf))


def _student_t(
    mean: float,
    stderr: float,
    clusters: int,
    confidence: float,
    ends: tuple[float, float] = (-math.inf, math.inf),
) -> MeanEstimate:
    """The mean with Student's t interval, cut at the ends of its scale."""
    half = t_quantile(clusters - 1, confidence) * stderr
    low, high = max(ends[0], mean - half), min(ends[1], mean + half)
    return MeanEstimate(mean, stderr, low, high, clusters, "student-t")


def _stderr(cluster_sums: Floats, n: int) -> float:
    """The cluster-robust standard error of a mean (Miller 2024, section 2.2).

    With ``n`` values in ``G`` clusters and ``d_g`` the sum of the deviations from the overall mean
    in cluster ``g``::

        SE = sqrt(G / (G - 1) * sum_g d_g**2) / n

    ``G / (G - 1)`` is the small-sample correction of statsmodels and Stata,
    ``G / (G - 1) * (n - 1) / (n - K)``, for an intercept only (``K = 1``): this equals
    ``sm.OLS(values, ones).fit(cov_type="cluster", cov_kwds={"groups": clusters}).bse``. Where
    every cluster holds one value it is the usual ``s / sqrt(n)``. NaN with fewer than two clusters.
    """
    count = len(cluster_sums)
    if count < 2:
        return math.nan
    return math.sqrt(count / (count - 1) * float(np.square(cluster_sums).sum())) / n
