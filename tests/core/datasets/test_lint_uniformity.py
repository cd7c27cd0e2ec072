"""The tests of uniformity and of equal shares that lint rests on, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from proctor.datasets.lint.uniformity import same_shares_p, uniform_p


@pytest.mark.parametrize("counts", [[30, 20, 25, 25], [100, 60, 80, 90]])
def test_uniformity_of_many_counts_is_scipys_chi_square(counts):
    assert uniform_p({4: counts}, seed=0) == pytest.approx(stats.chisquare(counts).pvalue)


def test_uniformity_of_few_counts_is_near_the_exact_test():
    # Two-sided binomial: at most one of six on either side.
    assert uniform_p({2: [5, 1]}, seed=0) == pytest.approx(2 * (6 + 1) / 2**6, rel=0.1)
    assert uniform_p({4: [16, 0, 0, 0]}, seed=0) == 1 / 10_000
    assert uniform_p({1: [40]}, seed=0) == 1.0
    assert uniform_p({}, seed=0) == 1.0


def test_equal_shares_of_many_counts_is_scipys_chi_square():
    first, rest = np.array([30, 20, 10]), np.array([100, 120, 80])
    expected = stats.chi2_contingency(np.stack([first, rest]), correction=False).pvalue
    assert same_shares_p(first, rest, seed=0) == pytest.approx(expected)


def test_equal_shares_of_few_counts_is_near_fishers_exact_test():
    first, rest = np.array([4, 1]), np.array([3, 12])
    expected = stats.fisher_exact(np.stack([first, rest])).pvalue
    assert same_shares_p(first, rest, seed=0) == pytest.approx(expected, rel=0.1)
    assert same_shares_p(np.array([0, 5]), np.array([0, 9]), seed=0) == 1.0
