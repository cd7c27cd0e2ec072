"""Intervals of a ratio of sums, as nats a token are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from proctor.scoring.intervals import estimate_ratio, t_quantile


def test_the_interval_is_that_of_a_ratio() -> None:
    """Against the textbook's formula, and against the mean's where all lengths are equal."""
    x, y = np.array([3.0, 8.0, 2.0, 9.0]), np.array([2.0, 5.0, 2.0, 4.0])
    ratio = x.sum() / y.sum()
    residuals = x - ratio * y
    stderr = math.sqrt(4 / 3 * (residuals**2).sum()) / y.sum()
    estimate = estimate_ratio(x, y)
    assert (estimate.mean, estimate.stderr) == (pytest.approx(ratio), pytest.approx(stderr))
    assert estimate.ci_high == pytest.approx(ratio + t_quantile(3) * stderr)
    equal = estimate_ratio(x, np.full(4, 2.0))
    assert equal.stderr == pytest.approx(x.std(ddof=1) / 2 / math.sqrt(4))


def test_clusters_are_not_independent() -> None:
    x, y = np.array([1.0, 1.2, 5.0, 5.1]), np.ones(4)
    joined = estimate_ratio(x, y, np.array([0, 0, 1, 1]))
    assert joined.clusters == 2
    assert joined.stderr > estimate_ratio(x, y).stderr
    assert math.isnan(estimate_ratio(x, y, np.zeros(4, dtype=np.int64)).stderr)
    assert math.isnan(estimate_ratio(np.array([]), np.array([])).mean)
