"""Metric names, and scores that are withheld where they can't be trusted."""

from __future__ import annotations

import json
import math

import pytest

from proctor.errors import ConfigError
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.scoring.metric_names import (
    check_min_coverage,
    group_label,
    valid_name,
)
from proctor.scoring.results import EvaluationResult
from proctor.types import Outcome

COUNTS = {"coverage", "n", "truncated", "malformed", "ungraded", "failed"}
SCORES = {"score", "stderr", "ci_low", "ci_high"}


def named(prefix, keys):
    return {f"{prefix}/{key}" for key in keys}


def test_every_grader_is_reported_and_the_first_gives_the_score():
    """Story 6: with two graders, only the first was reported."""
    ledger = Ledger([LedgerColumn("exact", proportion=True), LedgerColumn("f1")])
    for exact, f1 in [(1.0, 1.0), (0.0, 0.5), (1.0, 0.75)]:
        row = ledger.add_example()
        ledger.record(row, 0, "exact", Outcome.GRADED, exact)
        ledger.record(row, 0, "f1", Outcome.GRADED, f1)
    metrics = EvaluationResult.from_ledger("qa", ledger).metrics
    assert set(metrics) == (
        {"qa/score"} | named("qa/exact", SCORES | COUNTS) | named("qa/f1", SCORES | COUNTS)
    )
    assert metrics["qa/score"] == metrics["qa/exact/score"] == pytest.approx(2 / 3)
    assert metrics["qa/f1/score"] == 0.75
    assert metrics["qa/f1/n"] == 3.0
    assert all(type(value) is float for value in metrics.values())


def test_adding_a_grader_renames_nothing_and_changes_no_number():
    def metrics(columns):
        ledger = Ledger(columns)
        for value in (1.0, 0.0):
            row = ledger.add_example()
            for column in columns:
                ledger.record(row, 0, column.grader, Outcome.GRADED, value)
        return EvaluationResult.from_ledger("qa", ledger).metrics

    alone = metrics([LedgerColumn("exact", proportion=True)])
    both = metrics([LedgerColumn("exact", proportion=True), LedgerColumn("f1")])
    assert {name: both[name] for name in alone} == alone


def test_half_failed_is_no_score_of_1(make_ledger):
    """Story 2: half the requests failed, and the accuracy was 1.0."""
    result = EvaluationResult.from_ledger("qa", make_ledger([[1.0]] * 5 + [["f"]] * 5))
    assert set(result.metrics) == named("qa/g", COUNTS)
    assert result.metrics["qa/g/coverage"] == 0.5
    assert result.metrics["qa/g/failed"] == 5.0
    assert result.withheld == "5 of 10 answers have a grade, under min_coverage 0.95"
    assert not result.is_complete
    assert result.graders[0].estimate.bounds == (0.5, 1.0)


def test_all_failed_is_not_an_empty_result(make_ledger):
    """Story 2: all requests failed, and the result was an empty dict."""
    result = EvaluationResult.from_ledger("qa", make_ledger([["f"]] * 3), min_coverage=0.0)
    assert result.metrics == {
        "qa/g/coverage": 0.0,
        "qa/g/n": 0.0,
        "qa/g/truncated": 0.0,
        "qa/g/malformed": 0.0,
        "qa/g/ungraded": 0.0,
        "qa/g/failed": 3.0,
    }
    assert result.withheld == "none of 3 answers has a grade"


def test_no_samples_never_succeed(make_ledger):
    result = EvaluationResult.from_ledger("qa", make_ledger([]), min_coverage=0.0)
    assert result.withheld == "there are no samples"
    assert "qa/score" not in result.metrics
    assert result.metrics["qa/g/coverage"] == 0.0


@pytest.mark.parametrize(("failed", "is_withheld"), [(0, False), (1, False), (2, True)])
def test_exactly_min_coverage_is_enough(make_ledger, failed, is_withheld):
    rows = [[1.0]] * (20 - failed) + [["f"]] * failed
    result = EvaluationResult.from_ledger("qa", make_ledger(rows), min_coverage=0.95)
    assert ("qa/score" not in result.metrics) is is_withheld
    assert (result.withheld is not None) is is_withheld


def test_truncated_and_malformed_answers_withhold_nothing(make_ledger):
    result = EvaluationResult.from_ledger("qa", make_ledger([["t"], ["m"], ["t"], [1.0]]))
    assert result.metrics["qa/score"] == 0.25
    assert result.metrics["qa/g/truncated"] == 2.0
    assert result.metrics["qa/g/malformed"] == 1.0


def test_one_grader_may_be_withheld_and_another_not():
    ledger = Ledger([LedgerColumn("exact", proportion=True), LedgerColumn("judge")])
    for _ in range(4):
        row = ledger.add_example()
        ledger.record(row, 0, "exact", Outcome.GRADED, 1.0)
        ledger.record(row, 0, "judge", Outcome.UNGRADED)
    result = EvaluationResult.from_ledger("qa", ledger)
    assert result.withheld is None
    assert not result.is_complete
    assert "qa/score" in result.metrics
    assert "qa/judge/score" not in result.metrics
    assert result.metrics["qa/judge/ungraded"] == 4.0


def test_values_of_a_field_have_metrics_of_their_own_each_by_its_own_coverage():
    ledger = Ledger([LedgerColumn("g", proportion=True)], by=["subject"])
    cells = [("a/b", 1.0), ("a/b", 0.0), ("c", None), ("c", 1.0), (None, 1.0), *[("d", 1.0)] * 40]
    for subject, value in cells:
        row = ledger.add_example(groups=[subject])
        if value is None:
            ledger.record(row, 0, "g", Outcome.FAILED)
        else:
            ledger.record(row, 0, "g", Outcome.GRADED, value)
    metrics = EvaluationResult.from_ledger("qa", ledger).metrics
    assert "qa/score" in metrics
    assert metrics["qa/g/subject=a%2Fb/score"] == 0.5
    assert metrics["qa/g/subject=(missing)/score"] == 1.0
    assert metrics["qa/g/subject=c/coverage"] == 0.5
    assert metrics["qa/g/subject=c/failed"] == 1.0
    assert "qa/g/subject=c/score" not in metrics
    groups = {name.split("/")[2] for name in metrics if "=" in name}
    assert groups == {"subject=a%2Fb", "subject=c", "subject=d", "subject=(missing)"}


def test_pass_and_maj_at_k_are_metrics_where_enough_examples_have_k_samples(make_ledger):
    rows = [[1.0, 0.0], [0.0, 0.0]]
    answers = [["a", "b"], ["b", "b"]]
    metrics = EvaluationResult.from_ledger("qa", make_ledger(rows, answers=answers)).metrics
    assert metrics["qa/g/pass@1"] == 0.25
    assert metrics["qa/g/pass@2"] == 0.5
    assert metrics["qa/g/maj@2"] == 0.25
    at_k = {f"{kind}@{k}" for kind in ("pass", "maj") for k in (1, 2)}
    assert set(metrics) == {"qa/score"} | named("qa/g", SCORES | COUNTS | at_k)
    few = make_ledger([*[[1.0, 1.0]] * 9, [1.0, "f"]])
    metrics = EvaluationResult.from_ledger("qa", few, min_coverage=0.92).metrics
    assert metrics["qa/g/pass@1"] == 1.0
    assert "qa/g/score" in metrics
    assert "qa/g/pass@2" not in metrics


def test_what_is_not_known_is_left_out_and_json_is_strict(make_ledger):
    result = EvaluationResult.from_ledger("qa", make_ledger([[1.0]]))
    assert "qa/g/stderr" not in result.metrics
    assert (result.metrics["qa/g/ci_low"], result.metrics["qa/g/ci_high"]) == (0.0, 1.0)
    for ledger in (make_ledger([[1.0]]), make_ledger([["t"]]), make_ledger([])):
        found = EvaluationResult.from_ledger("qa", ledger).to_json()
        assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_json_says_all_that_the_ledger_knows(make_ledger):
    result = EvaluationResult.from_ledger(
        "qa", make_ledger([[1.0], [0.0], ["t"], ["u"]]), min_coverage=0.5, details={"rows": 4}
    )
    found = result.to_json()
    (grader,) = found["graders"]
    assert found["details"] == {"rows": 4}
    assert grader["grader"] == "g"
    assert grader["score"] == pytest.approx(1 / 3)
    assert grader["score_complete"] == 0.5
    assert grader["counts"]["truncated"] == 1
    assert grader["bounds"] == {"all_missing_worst": 0.25, "all_missing_best": 0.5}
    assert grader["scale"] == {"worst": 0.0, "best": 1.0, "proportion": True}
    assert found["metrics"]["qa/score"] == pytest.approx(1 / 3)


def test_numbers_of_a_plain_evaluator_get_its_name():
    result = EvaluationResult.from_metrics("nll", {"loss": 2.5, "ppl": math.inf})
    assert result.metrics == {"nll/loss": 2.5}
    assert result.withheld is None
    nothing = EvaluationResult.from_metrics("nll", {"loss": math.nan})
    assert nothing.metrics == {}
    assert nothing.withheld == "the evaluator returned no finite number"
    assert EvaluationResult.from_metrics("nll", {}).withheld


@pytest.mark.parametrize("min_coverage", [2, -0.1, math.nan])
def test_min_coverage_is_a_share(make_ledger, min_coverage):
    with pytest.raises(ConfigError, match="min_coverage is"):
        check_min_coverage(min_coverage)
    with pytest.raises(ConfigError, match="from 0 to 1"):
        EvaluationResult.from_ledger("qa", make_ledger([[1.0]]), min_coverage=min_coverage)


@pytest.mark.parametrize("name", ["", " qa", "qa ", "a/b", "a\nb", "\x1b[2J", "a%b", "\ud800"])
def test_names_that_metric_names_can_not_hold(name, make_ledger):
    with pytest.raises(ConfigError, match="can't be part of a metric's name"):
        valid_name(name)
    with pytest.raises(ConfigError):
        EvaluationResult.from_ledger(name, make_ledger([[1.0]]))
    ledger = Ledger([LedgerColumn(name)])
    with pytest.raises(ConfigError):
        EvaluationResult.from_ledger("qa", ledger)


@pytest.mark.parametrize("name", ["qa", "house-qa", "gsm8k (5 shots)", "größe", "f1=x", "v1.2_a"])
def test_other_names_are_kept_as_they_are(name):
    assert valid_name(name) == name


def test_two_values_never_get_one_label():
    values = [
        None, "(missing)", "%28missing)", "a/b", "a%2Fb", "a%252Fb", "a\nb", "a b", "a%0Ab",
        "\ud800", "%ED%A0%80", "", "A/b",
    ]  # fmt: skip
    labels = [group_label(value) for value in values]
    assert len(set(labels)) == len(values)
    for label in labels:
        assert "/" not in label
        assert label.isprintable()


def test_rows_that_were_never_read_leave_no_headline(make_ledger):
    """100,000 streamed rows, stopped at 3,000: the rest is unknown, whatever the coverage."""
    ledger = Ledger([LedgerColumn("g", proportion=True)], 2, by=["s"])
    for index in range(30):
        row = ledger.add_example(groups=[f"v{index % 2}"])
        for sample in range(2):
            ledger.record(row, sample, "g", Outcome.GRADED, float(sample))
    whole = EvaluationResult.from_ledger("qa", ledger, details={"unread": False})
    assert whole.withheld is None
    assert whole.metrics["qa/score"] == 0.5
    result = EvaluationResult.from_ledger("qa", ledger, details={"unread": True})
    assert (
        result.withheld == "stopped before all rows were read; how many are missing can't be told"
    )
    assert result.graders[0].withheld == result.withheld
    assert not result.is_complete
    assert result.graders[0].estimate.bounds is None
    left = {name.rsplit("/", 1)[1] for name in result.metrics}
    assert left == {"coverage", "n", "truncated", "malformed", "ungraded", "failed"}
    assert EvaluationResult.from_json(result.to_json()) == result
    assert whole.graders[0].estimate.score == result.graders[0].estimate.score
