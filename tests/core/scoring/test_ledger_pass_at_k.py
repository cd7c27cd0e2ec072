"""pass@k and maj@k of what was recorded: which examples count, and in which direction."""

from __future__ import annotations

import pytest

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
