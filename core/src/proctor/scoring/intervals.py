"""Standard errors and confidence intervals of scores, for samples that come in clusters.

Pure functions of arrays. A cluster is what was drawn independently: one example with all of its
samples, or the examples that ``metadata.cluster`` joins. Sources:

* Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
  Journal of the American Statistical Association 22, 209-212.
* Franco, C., Little, R. J. A., Louis, T. A. and Slud, E. V. (2019). Comparative study of confidence
  intervals for proportions in complex sample surveys. Journal of Survey Statistics and Methodology
  7, 334-364: Wilson's interval with an effective sample size.
* Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression
  with multi-stage samples. Survey Methodology 28, 169-181.
* Miller, E. (2024). Adding error bars to evals. arXiv:2411.00640, section 2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from proctor.scoring.correlation import (
    effective_clusters,
    effective_size,
    mean_correlation,
    shrunk_correlation,
)

Floats = npt.NDArray[np.float64]
Clusters = npt.NDArray[np.int64]

IntervalMethod = Literal["wilson", "student-t", "bounded", "none"]
"""How an interval was made.

``wilson`` is that of yes or no grades, ``bounded`` has the same form for other grades on a scale,
``student-t`` is for open scales; ``none`` says that there is no interval.
"""

FEW_CLUSTERS = "few clusters"
"""Too little was drawn independently for the interval to hold."""
FEW_EVENTS = "few events"
"""Too few answers are right, or too few wrong."""
EQUAL_GRADES = "equal grades"
"""All grades are one value inside the scale: nothing tells how they vary."""

LONG_TAIL = "long tail"
"""The grades of an open scale are too skewed for Student's t to hold."""

LEAST_CLUSTERS = 6
"""Effective clusters that the interval of a proportion needs, by simulation."""
LEAST_CLUSTERS_GRADED = 15
"""Likewise of other grades on a scale."""
LEAST_CLUSTERS_OPEN = 30
"""Likewise of a mean on an open scale, where nothing bounds how skewed the grades can be."""
LEAST_EVENTS = 3
"""What ``n_eff * min(p, 1 - p)`` must be: effective answers of the rarer kind."""

CONFIDENCE = 0.95
"""The confidence level of every interval that Proctor prints."""

_NO_VARIANCE = 1e-12
"""Standard errors below this share of the scale are rounding errors of 0."""

_WORST_CASE_WEIGHT = 0.25
"""How many clusters' worth of evidence it is that grades could vary as much as yes or no does."""


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
        untrusted: Why the interval may hold the truth less often than it says, in few words; None
            where it is to be trusted, or there is none.
    """

    mean: float
    stderr: float
    ci_low: float
    ci_high: float
    clusters: int
    method: IntervalMethod
    untrusted: str | None


NO_ESTIMATE = MeanEstimate(math.nan, math.nan, math.nan, math.nan, 0, "none", None)
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

    With an effective sample size it is the interval of clustered data that Franco et al. (2019)
    compare with others, and the t quantile in place of the normal one is for few clusters.

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

    * A proportion has Wilson's interval with ``n_eff``, Kish's effective sample size for the
      posterior mean of the correlation within clusters, and the t quantile with ``G - 1`` degrees
      of freedom. Independent answers count fully.
    * Grades on a scale have the same form with ``n_eff = m * (1 - m) / V``, ``m`` being the mean's
      place on the scale from 0 to 1 and ``V`` its clustered variance: see ``_graded``.
    * A mean on an open scale has Student's t interval, ``mean +- t * SE``; none without variance.
    * The standard error is the clustered one, on a scale never less than that of independent
      values: so it is 0 only where all values are equal.
    * One cluster has no standard error, and an interval as wide as the scale.

    Which of them can be trusted, and where, is by simulation: ``benchmarks/intervals.py``.

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
    if scale is None:
        return _on_open_scale(values, clusters, confidence)
    low, high = min(scale), max(scale)
    width = high - low
    mean = min(max(float(values.mean()), low), high)
    places: Floats = (values - low) / width
    sizes, sums = _cluster_totals(places, clusters)
    share = (mean - low) / width
    method: IntervalMethod = "wilson" if proportion else "bounded"
    if len(sizes) < 2:
        return MeanEstimate(mean, math.nan, low, high, 1, method, FEW_CLUSTERS)
    if proportion:
        spread = _yes_or_no(share, sizes, sums, confidence)
    else:
        spread = _graded(share, places, sizes, sums, confidence)
    ends, untrusted = spread
    ci = low + width * ends[0], low + width * ends[1]
    # Clusters that agree by chance make no more samples than there are: nor is it 0 for them.
    stderr = max(_stderr(sums - sizes * share, len(values)), _stderr(places - share, len(values)))
    stderr = stderr * width if stderr > _NO_VARIANCE else 0.0
    return MeanEstimate(mean, stderr, *ci, len(sizes), method, untrusted)


Spread = tuple[tuple[float, float], str | None]
"""The ends of an interval, and why it is not to be trusted."""


def _yes_or_no(share: float, sizes: Floats, right: Floats, confidence: float) -> Spread:
    """The interval of a proportion in two or more clusters.

    The low end is never above that of answers that are all right, in clusters of these sizes, and
    the high end never below that of answers that are all wrong: a single wrong answer tells much of
    the correlation, and could make the interval far narrower than none at all.
    """
    groups, whole = len(sizes), sizes.astype(np.int64)
    correlation = mean_correlation(whole, np.rint(right).astype(np.int64))
    effective_n = effective_size(sizes, correlation)
    low, high = wilson_interval(share, effective_n, groups - 1, confidence)
    # The prior is even about 1/2: all wrong tells of the correlation what all right does.
    alike_n = effective_size(sizes, mean_correlation(whole, whole))
    all_right, _ = wilson_interval(1.0, alike_n, groups - 1, confidence)
    ends = min(low, all_right), max(high, 1 - all_right)
    return ends, interval_doubt(sizes, share, effective_n, LEAST_CLUSTERS)


def _graded(mean: float, values: Floats, sizes: Floats, sums: Floats, confidence: float) -> Spread:
    """The interval of a mean of grades from 0 to 1 in two or more clusters.

    ``V`` is the larger of two variances of the mean. With ``d_g`` the sum of the deviations from
    the mean in cluster ``g``, Bell and McCaffrey's (2002) CR2 for an intercept only is::

        sum_g d_g**2 / (1 - n_g / n) / n**2

    and Kish's is ``s**2 / n_eff`` for the shrunk correlation, which is not 0 where the clusters'
    sums happen to be equal.

    No variable in 0 to 1 with the mean ``m`` varies more than a yes or no one, by ``m * (1 - m)``.
    So ``V / (m * (1 - m))`` is the share of a single answer's variance: it is averaged with
    ``1 / G*``, that of ``G*`` such answers, weighed by ``G - 1`` against ``_WORST_CASE_WEIGHT``,
    and its inverse is the effective sample size of Wilson's form. The interval keeps to the scale,
    is skewed as the grades are, and is about Student's t where there are many clusters.

    Grades that are all best say what ``G*`` right answers do. With few events the low end lies
    between theirs and its own, by their share of ``LEAST_EVENTS``, and the high end likewise: one
    grade a little below the best must not make the interval far narrower.
    """
    n, groups, effective_groups = float(sizes.sum()), len(sizes), effective_clusters(sizes)
    most = mean * (1 - mean)
    robust = float(((sums - sizes * mean) ** 2 / (1 - sizes / n)).sum()) / n**2
    correlation = shrunk_correlation(values, sizes, sums)
    kish = float(values.var()) * n / (n - 1) / effective_size(sizes, correlation)
    variance = max(robust, kish)
    if most > _NO_VARIANCE:
        share = variance / most * (groups - 1) + _WORST_CASE_WEIGHT / effective_groups
        effective_n = (groups - 1 + _WORST_CASE_WEIGHT) / share
    else:
        effective_n = effective_groups
    low, high = wilson_interval(mean, effective_n, groups - 1, confidence)
    all_best, _ = wilson_interval(1.0, effective_groups, groups - 1, confidence)
    rare = min(1.0, effective_n * min(mean, 1 - mean) / LEAST_EVENTS)
    low = rare * low + (1 - rare) * min(low, all_best)
    high = rare * high + (1 - rare) * max(high, 1 - all_best)
    ends = min(low, mean), max(high, mean)
    doubt = interval_doubt(sizes, mean, effective_n, LEAST_CLUSTERS_GRADED)
    if math.sqrt(variance) <= _NO_VARIANCE and doubt is None:
        doubt = EQUAL_GRADES
    return ends, doubt


def interval_doubt(
    sizes: Floats, share: float, effective_n: float, least_clusters: float
) -> str | None:
    """Why an interval on a scale is not to be trusted; None where it is.

    Args:
        sizes: The size of each cluster.
        share: The mean's place on the scale, from 0 to 1.
        effective_n: How many independent answers would have told as much.
        least_clusters: Effective clusters that it needs.
    """
    reasons = []
    if effective_clusters(sizes) < least_clusters:
        reasons.append(FEW_CLUSTERS)
    if effective_n * min(share, 1 - share) < LEAST_EVENTS:
        reasons.append(FEW_EVENTS)
    return ", ".join(reasons) or None


def _on_open_scale(values: Floats, clusters: Clusters | None, confidence: float) -> MeanEstimate:
    """The mean of values that may be any numbers, with Student's t interval."""
    mean = float(values.mean())
    sizes, _ = _cluster_totals(values, clusters)
    sums = cluster_deviations(values, clusters)
    stderr = _stderr(sums, len(values))
    if len(sums) < 2:
        return MeanEstimate(mean, math.nan, math.nan, math.nan, 1, "none", None)
    if stderr <= _NO_VARIANCE * max(1.0, abs(mean)):
        return MeanEstimate(mean, 0.0, math.nan, math.nan, len(sums), "none", None)
    return _student_t(mean, stderr, sizes, sums, confidence)


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
    sizes = np.bincount(codes, weights=denominators).astype(np.float64, copy=False)
    stderr = _stderr(sums, 1) / total
    if len(sums) < 2 or stderr <= _NO_VARIANCE * max(1.0, ratio):
        return MeanEstimate(ratio, stderr, math.nan, math.nan, len(sums), "none", None)
    return _student_t(ratio, stderr, sizes, sums, confidence, least=0.0)


def _student_t(
    mean: float,
    stderr: float,
    sizes: Floats,
    sums: Floats,
    confidence: float,
    least: float = -math.inf,
) -> MeanEstimate:
    """The mean with Student's t interval, cut at the least value that it can have.

    Cochran (1977, Sampling Techniques, 3rd ed., section 2.15) asks for ``n > 25 * G1**2``, with
    ``G1`` Fisher's measure of skewness, for the normal interval of a mean to hold. Here ``n`` is
    the effective number of clusters, and ``G1`` that of the clusters' sums of deviations.
    """
    groups, effective_groups = len(sizes), effective_clusters(sizes)
    half = t_quantile(groups - 1, confidence) * stderr
    skewness = float((sums**3).mean() / (sums**2).mean() ** 1.5)
    reasons = []
    if effective_groups < LEAST_CLUSTERS_OPEN:
        reasons.append(FEW_CLUSTERS)
    if effective_groups <= 25 * skewness**2:
        reasons.append(LONG_TAIL)
    low, high = max(least, mean - half), mean + half
    doubt = ", ".join(reasons) or None
    return MeanEstimate(mean, stderr, low, high, groups, "student-t", doubt)


def _cluster_totals(values: Floats, clusters: Clusters | None) -> tuple[Floats, Floats]:
    """The size of each cluster, and the sum of its values."""
    if clusters is None:
        return np.ones(len(values)), values
    _, codes = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64, copy=False)
    return sizes, np.bincount(codes, weights=values).astype(np.float64, copy=False)


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
