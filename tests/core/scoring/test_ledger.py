"""Outcomes, coverage and bounds: what the ledger makes of what it was told."""

from __future__ import annotations

import math
import random
import tracemalloc

import numpy as np
import pytest
import statsmodels.api as sm

from proctor.errors import ConfigError
from proctor.scoring.ledger import MOST_GROUPS, Ledger, LedgerColumn
from proctor.types import Outcome

GRADED = Outcome.GRADED


def test_every_outcome_counts_as_the_table_says(make_ledger):
    estimate = make_ledger([[1.0], [1.0], [0.0], ["t"], ["m"], ["u"], ["f"]]).estimate("g")
    assert estimate.score == pytest.approx(2 / 5)
    assert estimate.counts == {
        Outcome.GRADED: 3,
        Outcome.TRUNCATED: 1,
        Outcome.MALFORMED: 1,
        Outcome.UNGRADED: 1,
        Outcome.FAILED: 1,
    }
    assert (estimate.samples, estimate.pairs, estimate.missing) == (5, 7, 2)
    assert estimate.coverage == pytest.approx(5 / 7)
    assert estimate.bounds == pytest.approx((2 / 7, 4 / 7))
    assert estimate.score_complete == pytest.approx(2 / 3)
    assert (estimate.n, estimate.examples) == (5, 7)


def test_where_lower_is_better_a_truncated_answer_gets_the_highest_value(make_ledger):
    estimate = make_ledger(
        [[0.25], [0.0], ["t"], ["f"]], worst=1.0, best=0.0, proportion=False
    ).estimate("g")
    assert estimate.score == pytest.approx(1.25 / 3)
    assert estimate.bounds == pytest.approx((2.25 / 4, 1.25 / 4))
    assert estimate.lower_is_better
    assert estimate.ci_low < estimate.score < estimate.ci_high


def test_one_to_five_stars(make_ledger):
    estimate = make_ledger(
        [[5.0], [4.0], ["m"], ["u"]], worst=1.0, best=5.0, proportion=False
    ).estimate("g")
    assert estimate.score == pytest.approx(10 / 3)
    assert estimate.bounds == pytest.approx((11 / 4, 15 / 4))
    assert 1.0 <= estimate.ci_low < estimate.ci_high <= 5.0


def test_without_a_worst_value_truncated_answers_are_missing(make_ledger):
    estimate = make_ledger(
        [[30.0], [50.0], ["t"], ["m"]], worst=None, best=0.0, proportion=False
    ).estimate("g")
    assert estimate.score == 40.0
    assert estimate.coverage == 0.5
    assert estimate.bounds is None
    assert estimate.score_complete == 40.0
    assert estimate.counts[Outcome.TRUNCATED] == 1


def test_without_missing_answers_an_open_scale_has_bounds(make_ledger):
    estimate = make_ledger([[30.0], [50.0]], worst=None, best=0.0, proportion=False).estimate("g")
    assert estimate.bounds == (40.0, 40.0)


def test_a_yes_or_no_grader_without_a_worst_value_still_has_a_proportion():
    column = LedgerColumn("g", worst=None, best=1.0, proportion=True)
    ledger = Ledger([column])
    for value in (1.0, 0.0, 1.0):
        ledger.record(ledger.add_example(), 0, "g", GRADED, value)
    ledger.record(ledger.add_example(), 0, "g", Outcome.TRUNCATED)
    estimate = ledger.estimate("g")
    assert estimate.score == pytest.approx(2 / 3)
    assert estimate.method == "wilson"
    assert estimate.bounds == pytest.approx((0.5, 0.75))


def test_a_grader_that_sees_truncated_answers_gives_them_their_value():
    ledger = Ledger([LedgerColumn("g")])
    for value in (0.2, 0.4):
        ledger.record(ledger.add_example(), 0, "g", GRADED, value)
    row = ledger.add_example()
    assert ledger.record(row, 0, "g", Outcome.TRUNCATED, 0.9) is Outcome.TRUNCATED
    estimate = ledger.estimate("g")
    assert estimate.score == pytest.approx(0.5)
    assert estimate.score_complete == pytest.approx(0.3)
    assert estimate.counts[Outcome.TRUNCATED] == 1
    assert estimate.counts[GRADED] == 2


def test_nan_stands_for_no_grade_of_a_truncated_answer():
    ledger = Ledger([LedgerColumn("g")])
    row = ledger.add_example()
    assert ledger.record(row, 0, "g", Outcome.TRUNCATED, math.nan) is Outcome.TRUNCATED
    assert ledger.estimate("g").score == 0.0


def test_the_score_over_complete_answers_needs_a_truncated_one(make_ledger):
    assert make_ledger([[1.0], ["m"]]).estimate("g").score_complete is None
    only_cut = make_ledger([["t"], ["t"]]).estimate("g")
    assert only_cut.score == 0.0
    assert math.isnan(only_cut.score_complete)
    assert only_cut.to_json()["score_complete"] is None


def test_graders_need_names_of_their_own():
    with pytest.raises(ConfigError, match="two graders are called g"):
        Ledger([LedgerColumn("g"), LedgerColumn("h"), LedgerColumn("g")])
    with pytest.raises(ConfigError, match="nothing grades"):
        Ledger([])


def scripted(rng, rows=120, samples=4):
    """Calls of record that a run could make, several of them for the same pair."""
    letters = [Outcome.TRUNCATED, Outcome.MALFORMED, Outcome.UNGRADED, Outcome.FAILED]
    calls = []
    for row in range(rows):
        for sample in range(samples):
            if rng.random() < 0.8:
                calls.append((row, sample, "p", GRADED, rng.random() < 0.6, rng.choice("abc")))
            else:
                calls.append((row, sample, "p", rng.choice(letters), None, None))
            calls.append((row, sample, "f", GRADED, rng.random() * 1.1, None))
    return calls


def recorded(calls, rows=120, samples=4):
    ledger = Ledger(
        [LedgerColumn("p", proportion=True), LedgerColumn("f", 1.0, 0.0)], samples, by=["s"]
    )
    for row in range(rows):
        ledger.add_example(f"cluster {row // 3}", [None if row % 5 == 0 else f"s{row % 3}"])
    for row, sample, grader, outcome, value, answer in calls:
        ledger.record(row, sample, grader, outcome, value, answer)
    return ledger


def everything(ledger):
    groups = [None, *(("s", value) for value in ledger.group_values("s"))]
    return [ledger.estimate(grader, group).to_json() for grader in ("p", "f") for group in groups]


def test_results_do_not_depend_on_the_order_of_arrival():
    rng = random.Random(11)
    calls = scripted(rng)
    expected = everything(recorded(calls))
    for _ in range(5):
        rng.shuffle(calls)
        assert everything(recorded(calls)) == expected


def test_the_last_record_of_a_pair_wins():
    rng = random.Random(12)
    earlier, later = scripted(rng), scripted(rng)
    assert everything(recorded(earlier + later)) == everything(recorded(later))


def test_a_pair_that_nothing_was_recorded_for_is_missing(make_ledger):
    ledger = make_ledger([[1.0], [1.0], [1.0]])
    ledger.add_example()
    estimate = ledger.estimate("g")
    assert (estimate.unrecorded, estimate.coverage, estimate.n) == (1, 0.75, 3)
    assert estimate.bounds == (0.75, 1.0)


def test_nothing_at_all_has_no_score(make_ledger):
    estimate = make_ledger([]).estimate("g")
    assert math.isnan(estimate.score)
    assert estimate.coverage == 0.0
    assert estimate.bounds is None
    assert estimate.to_json()["score"] is None
    all_failed = make_ledger([["f"], ["u"]]).estimate("g")
    assert math.isnan(all_failed.score)
    assert all_failed.coverage == 0.0
    assert all_failed.bounds == (0.0, 1.0)
    assert all_failed.n == 0


def test_samples_of_one_example_are_one_cluster_and_metadata_joins_examples():
    rng = np.random.default_rng(8)
    ledger = Ledger([LedgerColumn("g")], num_samples=3)
    values, alone, joined = [], [], []
    for row in range(40):
        ledger.add_example(f"book {row // 4}" if row < 20 else None)
        level = rng.random() / 2
        for sample in range(3):
            if rng.random() < 0.1:
                ledger.record(row, sample, "g", Outcome.FAILED)
                continue
            value = level + rng.random() / 2
            ledger.record(row, sample, "g", GRADED, value)
            values.append(value)
            alone.append(row)
            joined.append(row // 4 if row < 20 else row)
    estimate = ledger.estimate("g")

    def stderr(groups):
        model = sm.OLS(np.array(values), np.ones(len(values)))
        return model.fit(cov_type="cluster", cov_kwds={"groups": np.array(groups)}).bse[0]

    assert estimate.stderr == pytest.approx(stderr(joined), rel=0, abs=1e-9)
    assert abs(stderr(joined) - stderr(alone)) > 1e-4
    assert (estimate.n, estimate.clusters) == (len(set(alone)), len(set(joined)))
    assert estimate.samples == len(values)


def test_groups_are_estimated_from_their_examples_only():
    ledger = Ledger([LedgerColumn("g", proportion=True)], by=["subject", "level"])
    for value, groups in [
        (1.0, ["physics", "easy"]),
        (1.0, ["physics", None]),
        (0.0, ["chess", "easy"]),
    ]:
        ledger.record(ledger.add_example(groups=groups), 0, "g", GRADED, value)
    assert ledger.group_values("subject") == ["chess", "physics"]
    assert ledger.group_values("level") == ["easy", None]
    assert ledger.estimate("g", ("subject", "physics")).score == 1.0
    assert ledger.estimate("g", ("subject", "chess")).score == 0.0
    assert ledger.estimate("g", ("level", "easy")).score == 0.5
    assert ledger.estimate("g", ("level", None)).n == 1
    assert ledger.estimate("g", ("level", "hard")).n == 0
    assert ledger.estimate("g").n == 3


def test_a_field_that_tells_rows_apart_makes_no_groups():
    ledger = Ledger([LedgerColumn("g")], by=["id"])
    for row in range(MOST_GROUPS):
        ledger.add_example(groups=[str(row)])
    ledger.add_example(groups=["0"])
    with pytest.raises(ConfigError, match="the field id has more than 1000 values"):
        ledger.add_example(groups=["one more"])


def test_what_does_not_fit_is_a_programming_error():
    ledger = Ledger([LedgerColumn("g")], num_samples=2, by=["s"])
    with pytest.raises(ValueError, match="0 groups"):
        ledger.add_example()
    row = ledger.add_example(groups=["x"])
    for bad_row, sample in [(row, 2), (row, -1), (row + 1, 0), (-1, 0)]:
        with pytest.raises(IndexError):
            ledger.record(bad_row, sample, "g", GRADED, 1.0)
    with pytest.raises(KeyError):
        ledger.record(row, 0, "other", GRADED, 1.0)
    with pytest.raises(ValueError, match="num_samples is 0"):
        Ledger([LedgerColumn("g")], num_samples=0)


def test_a_pair_takes_few_bytes():
    columns = [LedgerColumn("a", proportion=True), LedgerColumn("b")]
    rows, samples = 20_000, 2
    tracemalloc.start()
    ledger = Ledger(columns, samples, by=["s"])
    for index in range(rows):
        row = ledger.add_example(f"cluster {index}", ["x"])
        for sample in range(samples):
            ledger.record(row, sample, "a", GRADED, 1.0, "answer")
            ledger.record(row, sample, "b", GRADED, 0.5)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / (rows * samples * len(columns)) < 40
