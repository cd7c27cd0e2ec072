"""pass@k and maj@k of one example, exact over all subsets of k of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import comb

import numpy as np

from proctor.scoring.intervals import Floats


def reported_ks(num_samples: int) -> list[int]:
    """The k for which pass@k and maj@k are reported: powers of two, and the number of samples."""
    powers = [1 << power for power in range(num_samples.bit_length())]
    return sorted({*(k for k in powers if k <= num_samples), num_samples})


def pass_at_k(n: int, correct: int, k: int) -> float:
    """The chance that at least one of k samples is right, without bias.

    ``1 - C(n - c, k) / C(n, k)``, as the product of Chen et al. (2021), Evaluating large language
    models trained on code, arXiv:2107.03374, section 2.1, which does not overflow::

        1 - prod_{i = n - c + 1}^{n} (1 - k / i)

    Args:
        n: How many samples were drawn.
        correct: How many of them are right.
        k: The size of a subset, from 1 to ``n``.

    Raises:
        ValueError: ``k`` is not between 1 and ``n``, or ``correct`` not between 0 and ``n``.
    """
    _check_counts(n, k)
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} of {n} samples can't be right")
    return float(1.0 - np.prod(1.0 - k / np.arange(n - correct + 1, n + 1)))


def maj_at_k(answers: Sequence[int | None], values: Sequence[float] | Floats, k: int) -> float:
    """The expected value of the majority answer of k samples, over all subsets of k.

    The most frequent answer of a subset wins; of several, each is as likely. The winner's value is
    that of a sample of the subset that gave it, each as likely, so samples that agree may be graded
    differently. A sample without an answer (cut off, unreadable, nothing extracted) has no vote;
    where nobody votes, one of those samples stands for the subset.

    Args:
        answers: What each sample answered; equal integers are equal answers, None is no answer.
        values: The value of each sample.
        k: The size of a subset, from 1 to the number of samples.

    Raises:
        ValueError: ``k`` is out of range, or the arguments differ in length.
    """
    n = len(answers)
    _check_counts(n, k)
    if len(values) != n:
        raise ValueError(f"{n} answers have {len(values)} values")
    groups: dict[int, list[float]] = {}
    silent: list[float] = []
    for answer, value in zip(answers, values, strict=True):
        (silent if answer is None else groups.setdefault(answer, [])).append(float(value))
    counts = sorted(len(group) for group in groups.values())
    chances = dict(win_chances(tuple(counts), len(silent), k))
    # The order of the samples must not show, not even in the last bit.
    terms = sorted(
        chances[len(group)] * sum(sorted(group)) / len(group) for group in groups.values()
    )
    if silent:
        nobody = comb(len(silent), k) / comb(n, k)
        terms.append(nobody * sum(sorted(silent)) / len(silent))
    # Chances that add up to one bit over 1 must not pass the end of the scale.
    return min(max(sum(terms), float(min(values))), float(max(values)))


@lru_cache(maxsize=4096)
def win_chances(counts: tuple[int, ...], silent: int, k: int) -> tuple[tuple[int, float], ...]:
    """The chance that an answer given so many times is the majority of a random subset of k.

    For each size ``m`` of a winning vote, the subsets in which an answer with ``c`` samples has
    ``m`` of them and no other answer more are counted by a generating function: the product over
    the other answers of ``sum_{i < m} C(c_i, i) x^i + y C(c_i, m) x^m`` and, for the samples
    without a vote, of ``(1 + x)^silent``. Its coefficient of ``x^(k - m) y^t`` counts those with
    ``t`` other answers level, which share the win among ``t + 1``. All of it in integers.

    Args:
        counts: How many samples gave each answer, ascending.
        silent: How many samples gave none.
        k: The size of a subset.

    Returns:
        Pairs of a count that occurs and the chance of each single answer with that count.
    """
    subsets = comb(sum(counts) + silent, k)
    chances = []
    for own in sorted(set(counts)):
        others = list(counts)
        others.remove(own)
        wins = 0.0
        for m in range(1, min(own, k) + 1):
            level = _ways(others, silent, k - m, m)
            ways = comb(own, m)
            wins += sum(ways * count / subsets / (tied + 1) for tied, count in enumerate(level))
        chances.append((own, wins))
    return tuple(chances)


def _ways(counts: list[int], silent: int, size: int, most: int) -> list[int]:
    """How many subsets of ``size`` give no answer more than ``most``, by how many give just that.

    Args:
        counts: How many samples gave each answer.
        silent: How many samples gave none.
        size: The size of a subset.
        most: The most votes for one answer.

    Returns:
        The number of subsets in which 0, 1, 2, ... answers have ``most`` votes.
    """
    table = {(0, 0): 1}
    for count in counts:
        grown: dict[tuple[int, int], int] = {}
        for (used, tied), ways in table.items():
            for votes in range(min(count, most, size - used) + 1):
                key = (used + votes, tied + (votes == most))
                grown[key] = grown.get(key, 0) + ways * comb(count, votes)
        table = grown
    level = [0] * (len(counts) + 1)
    for (used, tied), ways in table.items():
        level[tied] += ways * comb(silent, size - used)
    return level


def _check_counts(n: int, k: int) -> None:
    if not 1 <= k <= n:
        raise ValueError(f"subsets of {k} can't be drawn from {n} samples")
