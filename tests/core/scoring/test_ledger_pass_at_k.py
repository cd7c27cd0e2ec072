"""pass@k and maj@k of what was recorded: which examples count, and in which direction."""

from __future__ import annotations

import numpy as np
import pytest

from proctor.scoring.intervals import estimate_mean
from proctor.scoring.pass_at_k import maj_at_k, pass_at_k


def test_pass_at_k_is_the_mean_of_the_examples_that_have_k_samples(make_ledger):
    rows = [[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, "t", "m"], [1.0, "f", 0.0, 0.0]]
    estimate = make_ledger(rows).estimate("g", min_coverage=0.6)
    assert sorted(estimate.pass_at_k) == [1, 2, 4]
    assert estimate.pass_at_k[1].score == pytest.approx((1 / 2 + 0 + 1 / 3) / 3)
    assert estimate.pass_at_k[2].score == pytest.approx(
        (pass_at_k(4, 2, 2) + 0 + pass_at_k(3, 1, 2)) / 3
    )
    assert estimate.pass_at_k[4].score == pytest.approx(1 / 2)
    assert estimate.pass_at_k[4].n == 2
    assert estimate.pass_at_k[4].coverage == pytest.approx(2 / 3)
    assert estimate.pass_at_k[4].reported
    assert make_ledger(rows).estimate("g", min_coverage=2 / 3).pass_at_k[4].reported
    assert not make_ledger(rows).estimate("g", min_coverage=0.7).pass_at_k[4].reported


def test_pass_at_1_of_full_rows_is_the_score_also_with_equal_rows(make_ledger):
    """Story 7: rows that are equal stay separate rows."""
    rows = [[1.0, 0.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4, [0.0] * 4]
    estimate = make_ledger(rows, clusters=["same", "same", "same", "other"]).estimate("g")
    assert estimate.score == pytest.approx(1 / 16)
    assert estimate.pass_at_k[1].score == pytest.approx(1 / 16)
    assert estimate.pass_at_k[2].score == pytest.approx(1 / 8)
    assert estimate.pass_at_k[4].score == pytest.approx(1 / 4)


def test_only_proportions_have_pass_at_k(make_ledger):
    assert make_ledger([[1.0, 0.0]], proportion=False).estimate("g").pass_at_k == {}
    assert make_ledger([[1.0]]).estimate("g").pass_at_k == {}


def test_pass_at_k_where_lower_is_better(make_ledger):
    estimate = make_ledger([[0.0, 1.0], [1.0, 1.0]], worst=1.0, best=0.0).estimate("g")
    assert estimate.pass_at_k[2].score == 0.5
    assert estimate.pass_at_k[1].score == 0.25


def test_pass_at_1_has_the_interval_of_the_score_that_it_is(make_ledger):
    """40 examples, 8 samples: the score had [.392, .503], pass@1, the same number, [.300, .603]."""
    rng = np.random.default_rng(5)
    rows = [(rng.random(8) < rng.random()).astype(float).tolist() for _ in range(40)]
    answers = [[str(value) for value in row] for row in rows]
    for scale in ({}, {"worst": 1.0, "best": 0.0}, {"worst": 1.0, "best": 5.0}):
        best, worst = scale.get("best", 1.0), scale.get("worst", 0.0)
        on_scale = [[worst + value * (best - worst) for value in row] for row in rows]
        estimate = make_ledger(on_scale, answers=answers, **scale).estimate("g")
        length = abs(best - worst)
        at_1 = estimate.pass_at_k[1]
        share = [(end - worst) / (best - worst) for end in (estimate.ci_low, estimate.ci_high)]
        assert (at_1.ci_low, at_1.ci_high) == pytest.approx((min(share), max(share)))
        assert at_1.stderr == pytest.approx(estimate.stderr / length)
        assert at_1.interval_trusted is estimate.interval_trusted is True
        maj = estimate.maj_at_k[1]
        assert (maj.score, maj.ci_low, maj.ci_high) == pytest.approx(
            (estimate.score, estimate.ci_low, estimate.ci_high)
        )
    for at_k in (estimate.pass_at_k[2], estimate.pass_at_k[4], estimate.maj_at_k[4]):
        assert at_k.ci_low < at_k.score < at_k.ci_high


def test_the_interval_of_pass_at_k_is_that_of_one_graded_value_an_example(make_ledger):
    rows = [[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [1.0, "f", 0.0, 0.0]] * 8
    estimate = make_ledger(rows).estimate("g", min_coverage=0.6)
    for k, values in {
        1: [1 / 2, 1 / 4, 1 / 3] * 8,
        2: [pass_at_k(4, 2, 2), pass_at_k(4, 1, 2), pass_at_k(3, 1, 2)] * 8,
    }.items():
        expected = estimate_mean(np.array(values), scale=(0.0, 1.0))
        found = estimate.pass_at_k[k]
        assert (found.ci_low, found.ci_high) == pytest.approx((expected.ci_low, expected.ci_high))
        assert found.stderr == pytest.approx(expected.stderr)


def test_maj_at_k_needs_answers(make_ledger):
    rows = [[1.0, 0.0, 1.0, "t"], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, "u"]]
    answers = [["a", "b", "a", None], ["x", "x", "y", "z"], ["a", "b", "c", "b"]]
    assert make_ledger(rows).estimate("g").maj_at_k == {}
    estimate = make_ledger(rows, answers=answers).estimate("g", min_coverage=0.0)
    for k in (1, 2):
        expected = (
            maj_at_k([1, 2, 1, None], [1, 0, 1, 0], k)
            + maj_at_k([1, 1, 2, 3], [0, 0, 1, 0], k)
            + maj_at_k([1, 2, 3], [0, 1, 0], k)
        ) / 3
        assert estimate.maj_at_k[k].score == pytest.approx(expected)
    assert estimate.maj_at_k[4].score == pytest.approx(1 / 2)
    assert estimate.maj_at_k[4].n == 2
