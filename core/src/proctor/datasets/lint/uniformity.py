"""Tests of counts: whether they are uniform, and whether two groups have the same shares.

Pearson's chi-square where every expected count is 5 or more, the rule of Cochran, W. G. (1954),
Some methods for strengthening the common chi-square tests, Biometrics 10, 417-451. Where one is
less, the same statistic is held against seeded random draws under the hypothesis, which is exact
for any number of draws (Davison, A. C. and Hinkley, D. V. (1997), Bootstrap methods and their
application, section 4.2): ``p = (1 + #{draws at least as large}) / (1 + draws)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Statistics = npt.NDArray[np.float64]

DRAWS = 9_999
"""Random draws of a test; its smallest p is one in ten thousand."""

LEAST_EXPECTED = 5.0
"""The least expected count for which the chi-square distribution is used."""

_CHUNK = 1_000


def uniform_p(counts: Mapping[int, Sequence[int]], seed: int) -> float:
    """How likely counts at least this uneven are, if every place is equally likely.

    Args:
        counts: For each number of places, how often each place occurred: questions with four
            options are compared with each other only.
        seed: The seed of the draws.

    Returns:
        The p-value; 1 where there is nothing to compare.
    """
    groups = [np.array(group, dtype=np.int64) for places, group in counts.items() if places > 1]
    groups = [group for group in groups if group.sum()]
    if not groups:
        return 1.0
    expected = [np.full(len(group), group.sum() / len(group)) for group in groups]
    observed = sum(
        float(_chi_square(group, share)) for group, share in zip(groups, expected, strict=True)
    )
    if min(float(share.min()) for share in expected) >= LEAST_EXPECTED:
        return _chi_square_p(observed, sum(len(group) - 1 for group in groups))

    def draw(rng: np.random.Generator, size: int) -> Statistics:
        total = np.zeros(size)
        for group, share in zip(groups, expected, strict=True):
            places = len(group)
            drawn = rng.multinomial(int(group.sum()), np.full(places, 1 / places), size=size)
            total += _chi_square(drawn, share)
        return total

    return _drawn_p(observed, draw, seed)


def same_shares_p(first: Counts, rest: Counts, seed: int) -> float:
    """How likely two groups differ at least this much, if rows fell into them by chance.

    Args:
        first: How often each category occurs in the first group.
        rest: The same for the second group.
        seed: The seed of the draws.

    Returns:
        The p-value; 1 where there is nothing to compare.
    """
    both = first + rest
    first, rest, both = first[both > 0], rest[both > 0], both[both > 0]
    size, total = int(first.sum()), int(both.sum())
    if len(both) < 2 or not size or size == total:
        return 1.0
    expected: Statistics = np.multiply(both, size / total)
    others = both - expected

    def statistic(counts: Counts) -> Statistics:
        return _chi_square(counts, expected) + _chi_square(both - counts, others)

    observed = float(statistic(first))
    if min(float(expected.min()), float(others.min())) >= LEAST_EXPECTED:
        return _chi_square_p(observed, len(both) - 1)

    def draw(rng: np.random.Generator, draws: int) -> Statistics:
        drawn = rng.multivariate_hypergeometric(both, size, size=draws, method="marginals")
        return np.asarray(statistic(drawn), dtype=np.float64)

    return _drawn_p(observed, draw, seed)


def _chi_square(counts: Counts, expected: Statistics) -> Statistics:
    summed: Statistics = (np.square(counts - expected) / expected).sum(axis=-1)
    return summed


def _chi_square_p(statistic: float, degrees_of_freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees_of_freedom, statistic))


def _drawn_p(
    observed: float, draw: Callable[[np.random.Generator, int], Statistics], seed: int
) -> float:
    rng = np.random.default_rng(seed)
    # A draw that equals what was observed must count, whatever the last bits say.
    threshold = observed - 1e-9 * max(1.0, observed)
    extreme, left = 0, DRAWS
    while left:
        size = min(left, _CHUNK)
        extreme += int((draw(rng, size) >= threshold).sum())
        left -= size
    return (1 + extreme) / (1 + DRAWS)
