"""How alike the grades of one cluster are: the intra-cluster correlation, and what it costs.

Sources:

* Kish, L. (1965). Survey Sampling. Wiley. Sections 5.4 and 8.2: the design effect
  ``1 + (size - 1) * rho`` of clusters of one size.
* Donner, A. and Koval, J. J. (1980). The estimation of intraclass correlation in the analysis of
  family data. Biometrics 36, 19-25: the estimator by analysis of variance, clusters of any size.
* Williams, D. A. (1975). The analysis of binary responses from toxicological experiments involving
  reproduction and teratogenicity. Biometrics 31, 949-952: the beta-binomial likelihood of clusters.
* Carter, A. V., Schnepel, K. T. and Steigerwald, D. G. (2017). Asymptotic behavior of a t-test
  robust to cluster heterogeneity. Review of Economics and Statistics 99, 698-709: the effective
  number of clusters.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_CORRELATIONS: Floats = ((np.arange(16) + 0.5) / 16) ** 2
"""Where the posterior is summed: the prior is uniform in the root of the correlation."""

_MEANS: Floats = np.sin((np.arange(48) + 0.5) / 48 * math.pi / 2) ** 2
"""Likewise for the mean, whose prior is Jeffreys': uniform in the arcsine of its root.

The points lie evenly about 1/2, so that reading them backwards gives one less each.
"""

_PRECISIONS: Floats = 1 / _CORRELATIONS - 1
"""The sum of the beta distribution's two parameters for each correlation."""

PRIOR_CORRELATION = 0.3
"""What the correlation of graded values is shrunk towards."""

PRIOR_CLUSTERS = 5
"""How many clusters' worth of evidence that is."""


def effective_clusters(sizes: Floats) -> float:
    """How many clusters of one size would tell as much: ``(sum n_g)**2 / sum n_g**2``.

    Kish's effective sample size of weights ``n_g``, and the effective number of clusters of Carter,
    Schnepel and Steigerwald (2017) where the correlation within clusters is 1.
    """
    return float(sizes.sum()) ** 2 / float(np.square(sizes).sum())


def effective_size(sizes: Floats, correlation: float) -> float:
    """How many independent values would tell as much about the mean of all.

    With ``n`` values in clusters of ``n_g``, each of one variance and each two of one cluster
    correlated by ``rho``, the variance of their mean is that of ``n**2 / (n + rho * sum_g n_g *
    (n_g - 1))`` independent ones. For clusters of one size this is Kish's design effect.
    """
    n = float(sizes.sum())
    pairs = float(np.square(sizes).sum()) - n
    return n * n / (n + correlation * pairs)


def mean_correlation(sizes: Counts, right: Counts) -> float:
    """The posterior mean of the correlation of yes or no grades within clusters.

    The right answers of each cluster are beta-binomial (Williams 1975) with the mean ``m`` and the
    correlation ``rho``: a cluster's own chance is beta distributed with ``a = m * s`` and
    ``b = (1 - m) * s``, ``s = 1 / rho - 1``. The log-likelihood is, but for a constant, the sum
    over clusters of ``lnB(x + a, n - x + b) - lnB(a, b)``. Unlike an estimate by moments it moves
    little when one answer changes, and is never 0: few clusters can't rule a correlation out.

    Args:
        sizes: The size of each cluster, 1 or more.
        right: Its right answers.

    Returns:
        The correlation; 0 where no cluster has two answers, since it then plays no part.
    """
    if sizes.max() == 1:
        return 0.0
    # The clusters' log-likelihoods are sums over their counts alone, which few clusters differ in.
    log = _total(right, rows=True) + _total(sizes - right, rows=True)[::-1]
    log = log - _total(sizes, rows=False)
    weights = np.exp(log - log.max()).sum(axis=0)
    return float(weights @ _CORRELATIONS / weights.sum())


def shrunk_correlation(values: Floats, sizes: Floats, sums: Floats) -> float:
    """The correlation of graded values within clusters, shrunk towards ``PRIOR_CORRELATION``.

    By analysis of variance (Donner and Koval 1980): ``(B - W) / (B + (n0 - 1) * W)`` with ``B`` and
    ``W`` the mean squares between and within clusters, ``n0 = (n - sum n_g**2 / n) / (G - 1)``, cut
    to 0 to 1. It is weighed by ``G - 1`` against ``PRIOR_CLUSTERS``.

    Args:
        values: All values.
        sizes: The size of each of two or more clusters.
        sums: The sum of the values of each.

    Returns:
        The correlation; 0 where no cluster has two values.
    """
    n, groups = float(sizes.sum()), len(sizes)
    if n == groups:
        return 0.0
    explained = float((sums**2 / sizes).sum())
    within = max(0.0, float((values**2).sum()) - explained) / (n - groups)
    between = max(0.0, explained - float(values.sum()) ** 2 / n) / (groups - 1)
    n0 = (n - float(np.square(sizes).sum()) / n) / (groups - 1)
    total = between + (n0 - 1) * within
    found = min(1.0, max(0.0, (between - within) / total)) if total > 0 else 0.0
    return (found * (groups - 1) + PRIOR_CORRELATION * PRIOR_CLUSTERS) / (
        groups - 1 + PRIOR_CLUSTERS
    )


def _total(counts: Counts, *, rows: bool) -> Floats:
    """The sum of ``_log_rising`` over the counts of all clusters."""
    values, often = np.unique(counts, return_counts=True)
    terms = np.stack([_log_rising(int(value), rows=rows) for value in values])
    total: Floats = np.tensordot(often.astype(np.float64), terms, axes=1)
    return total


@lru_cache(maxsize=2048)
def _log_rising(count: int, *, rows: bool) -> Floats:
    """``lnG(count + a) - lnG(a)``, for ``a`` of each mean (rows) and correlation (columns).

    Args:
        count: How many answers.
        rows: Whether ``a`` is a mean's share of the precision; else it is the precision.
    """
    from scipy.special import gammaln

    a = _MEANS[:, None] * _PRECISIONS if rows else _PRECISIONS
    table: Floats = gammaln(count + a) - gammaln(a)
    return table
