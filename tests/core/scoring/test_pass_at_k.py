"""pass@k and maj@k against brute force over all subsets."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from proctor.scoring.pass_at_k import maj_at_k, pass_at_k, reported_ks


@pytest.mark.parametrize("n", range(1, 11))
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(n):
    for correct in range(n + 1):
        for k in range(1, n + 1):
            subsets = list(combinations([True] * correct + [False] * (n - correct), k))
            share = sum(map(any, subsets)) / len(subsets)
            assert pass_at_k(n, correct, k) == pytest.approx(share, rel=0, abs=1e-12)


def test_pass_at_k_does_not_overflow():
    assert pass_at_k(100_000, 1, 50_000) == pytest.approx(0.5)
    assert pass_at_k(100_000, 0, 1) == 0.0
    assert pass_at_k(100_000, 99_999, 2) == 1.0


@pytest.mark.parametrize(("n", "correct", "k"), [(4, 2, 0), (4, 2, 5), (4, 5, 1), (4, -1, 1)])
def test_pass_at_k_refuses_what_can_not_be(n, correct, k):
    with pytest.raises(ValueError, match=r"can't be"):
        pass_at_k(n, correct, k)


def brute_force_maj(answers, values, k):
    """The mean over all subsets; of several most frequent answers, each is as likely."""
    total = Fraction(0)
    subsets = list(combinations(range(len(answers)), k))
    for subset in subsets:
        votes = {}
        for index in subset:
            if answers[index] is not None:
                votes.setdefault(answers[index], []).append(Fraction(values[index]))
        if not votes:
            total += sum(Fraction(values[index]) for index in subset) / k
            continue
        most = max(map(len, votes.values()))
        winners = [sum(group) / most for group in votes.values() if len(group) == most]
        total += sum(winners) / len(winners)
    return float(total / len(subsets))


answered = st.lists(
    st.tuples(st.none() | st.integers(0, 4), st.sampled_from([0.0, 0.25, 1.0, 5.0])),
    min_size=1,
    max_size=9,
)


@given(answered)
@settings(max_examples=150, deadline=None)
def test_maj_at_k_is_the_mean_over_all_subsets(samples):
    answers, values = zip(*samples, strict=True)
    for k in range(1, len(samples) + 1):
        expected = brute_force_maj(answers, values, k)
        assert maj_at_k(answers, values, k) == pytest.approx(expected, rel=0, abs=1e-12)


def test_a_tie_is_worth_the_share_of_its_right_answers():
    assert maj_at_k([1, 1, 2, 2], [1.0, 1.0, 0.0, 0.0], 4) == 0.5
    assert maj_at_k([1, 1, 2, 3], [1.0, 1.0, 0.0, 0.0], 4) == 1.0
    assert maj_at_k([1, 2, 3], [1.0, 0.0, 0.0], 3) == pytest.approx(1 / 3)


def test_a_sample_without_an_answer_has_no_vote():
    assert maj_at_k([7, None, None, None], [1.0, 0.0, 0.0, 0.0], 4) == 1.0
    assert maj_at_k([None, None], [0.0, 0.0], 2) == 0.0


@given(answered, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_samples_changes_not_even_the_last_bit(samples, random):
    shuffled = random.sample(samples, len(samples))
    for k in range(1, len(samples) + 1):
        assert maj_at_k(*zip(*samples, strict=True), k) == maj_at_k(*zip(*shuffled, strict=True), k)


def test_many_samples_need_no_enumeration():
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 6, 64).tolist()
    values = [float(answer == 2) for answer in answers]
    draws = [rng.choice(64, 16, replace=False) for _ in range(20_000)]
    wins = []
    for draw in draws:
        votes = np.bincount(np.array(answers)[draw], minlength=6)
        winners = np.flatnonzero(votes == votes.max())
        wins.append((2 in winners) / len(winners))
    found = maj_at_k(answers, values, 16)
    assert found == pytest.approx(np.mean(wins), abs=4 * np.std(wins) / np.sqrt(len(wins)))


def test_maj_at_k_refuses_what_can_not_be():
    with pytest.raises(ValueError, match="can't be drawn"):
        maj_at_k([1, 2], [0.0, 1.0], 3)
    with pytest.raises(ValueError, match="2 answers have 1 values"):
        maj_at_k([1, 2], [0.0], 1)


def test_powers_of_two_and_all_samples_are_reported():
    assert reported_ks(1) == [1]
    assert reported_ks(4) == [1, 2, 4]
    assert reported_ks(7) == [1, 2, 4, 7]
