"""``results.json`` read back: the same objects, which print and serialise the same."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from rich.console import Console

from proctor.cli.score_table import print_report
from proctor.errors import ConfigError
from proctor.runs.finished import FinishedRun
from proctor.runs.json_text import to_document
from proctor.runs.report import RunReport
from proctor.scoring.estimates import Estimate
from proctor.scoring.grades import GradeTally
from proctor.scoring.intervals import estimate_ratio
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.scoring.metric_names import group_label, group_value
from proctor.scoring.results import EvaluationResult, GraderResult
from proctor.scoring.suite_results import SuiteResult
from proctor.types import Outcome


class Noted(GradeTally):
    """Counts nothing, and says something."""

    def __init__(self, metrics: dict[str, float], notes: list[str]) -> None:
        self._metrics, self._notes = metrics, notes

    def metrics(self, estimate: Estimate) -> dict[str, float]:
        return self._metrics

    def notes(self, estimate: Estimate) -> list[str]:
        return self._notes


def printed(report: RunReport) -> str:
    raw = io.StringIO()
    print_report(Console(file=raw, width=200, highlight=False, soft_wrap=True), report)
    return raw.getvalue()


columns = st.sampled_from(
    [
        LedgerColumn("g", proportion=True),
        LedgerColumn("g", 0, 1, proportion=True),
        LedgerColumn("g", 1.0, 0.0, proportion=True),
        LedgerColumn("g"),
        LedgerColumn("g", 10.0, -2.5),
        LedgerColumn("g", None, 0.0),
        LedgerColumn("g", None, 1.0, proportion=True),
        LedgerColumn("g", 0.0, 1e-6),
    ]
)
group_names = st.one_of(
    st.none(),
    st.sampled_from(["(missing)", "%28missing)", "a/b", "50%", "%41", "\udc80", "\u2028", "é", ""]),
    st.text(st.characters(), max_size=4),
)


@st.composite
def results(draw: st.DrawFn, name: str, column: LedgerColumn | None = None) -> EvaluationResult:
    column = column or draw(columns)
    low, high = column.scale or (-5.0, 5.0)
    samples = draw(st.integers(1, 3))
    by = draw(st.sampled_from([(), ("metadata.subject",)]))
    ledger = Ledger([column], samples, by)
    ends = st.sampled_from([low, high])
    inside = st.floats(min(low, high), max(low, high))
    values = ends if column.proportion else st.one_of(ends, inside)
    said = st.sampled_from([None, "a", "b"])
    for _ in range(draw(st.integers(0, 6))):
        row = ledger.add_example(draw(st.sampled_from([None, "c"])), [draw(group_names)] * len(by))
        for index in range(samples):
            outcome = draw(st.sampled_from([None, *Outcome]))
            if outcome is Outcome.GRADED:
                ledger.record(row, index, "g", outcome, draw(values), draw(said))
            elif outcome is not None:
                ledger.record(row, index, "g", outcome)
    notes = draw(st.lists(st.text(st.characters(categories=["L", "P", "Zs"])), max_size=2))
    tally = Noted(draw(st.dictionaries(st.just("seen"), st.floats())), notes)
    return EvaluationResult.from_ledger(
        name,
        ledger,
        min_coverage=draw(st.sampled_from([0.0, 0.5, 0.95, 1.0])),
        details={"renderer": "x", "interrupted": None, "rows": [1, 2.5, {"y": "z"}]},
        tallies={"g": tally},
    )


@st.composite
def reports(draw: st.DrawFn) -> RunReport:
    column = draw(columns)
    report = RunReport(is_interrupted=draw(st.booleans()))
    for name in draw(st.sampled_from([(), ("a",), ("a", "b"), ("b", "a")])):
        report.results[name] = draw(results(name, column))
    if report.results and draw(st.booleans()):
        report.add_suites({"all": list(report.results), "most": ["a", "gone"]})
    numbers = draw(st.dictionaries(st.sampled_from(["x", "y"]), st.floats()))
    report.results["plain"] = EvaluationResult.from_metrics("plain", numbers)
    return report


@settings(max_examples=300, deadline=None)
@given(reports())
def test_a_report_read_back_prints_and_serialises_the_same(report: RunReport) -> None:
    written = report.to_json()
    read = RunReport.from_json(json.loads(json.dumps(written, allow_nan=False)))
    assert json.dumps(read.to_json()) == json.dumps(written)
    assert printed(read) == printed(report)
    assert (read.status, read.metrics) == (report.status, report.metrics)
    for name, result in report.results.items():
        for again, grader in zip(read.results[name].graders, result.graders, strict=True):
            assert again.groups.keys() == grader.groups.keys()
            for field, groups in grader.groups.items():
                assert list(again.groups[field]) == list(groups)


def test_a_ratio_is_read_back() -> None:
    """Estimates that no ledger made, on an open scale with an interval."""
    mean = estimate_ratio(np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.0]))
    estimate = Estimate(
        *(mean.mean, mean.stderr, mean.ci_low, mean.ci_high, mean.method),
        n=3,
        clusters=3,
        samples=3,
        pairs=3,
        examples=3,
        coverage=1.0,
        bounds=(mean.mean, mean.mean),
        counts={outcome: 3 if outcome is Outcome.GRADED else 0 for outcome in Outcome},
        unrecorded=0,
        score_complete=None,
        worst=None,
        best=0.0,
        proportion=False,
    )
    result = EvaluationResult.from_graders("nll", [GraderResult("nll", estimate, None)])
    assert EvaluationResult.from_json(json.loads(json.dumps(result.to_json()))) == result


@given(st.one_of(st.none(), st.text(st.characters()), group_names))
def test_a_label_stands_for_one_value(value: str | None) -> None:
    assert group_value(group_label(value)) == value


def test_parts_that_are_joined_are_read_back(make_ledger: Any) -> None:
    """Their graders' names hold a slash, which no single evaluator's may."""
    part = EvaluationResult.from_ledger("part", make_ledger([[1.0], [0.0]]))
    joined = EvaluationResult.joined("all", {"part": part})
    read = EvaluationResult.from_json(json.loads(json.dumps(joined.to_json())))
    assert read.graders[0].grader == "part/g"
    assert read == joined


def test_numbers_that_json_has_no_form_for_are_read_back() -> None:
    """A run's folder has them as text."""
    odd = EvaluationResult(
        "odd", {"odd/a": math.nan, "odd/b": math.inf, "odd/c": -math.inf, "odd/d": True}
    )
    report = RunReport(results={"odd": odd})
    read = RunReport.from_json(json.loads(to_document(report.to_json())))
    assert printed(read) == printed(report) == "odd/a  nan\nodd/b  inf\nodd/c  -inf\nodd/d  1\n"


FIRST = ("evaluators", "first")
GRADER = (*FIRST, "graders", 0)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("errors",), ..., "the object has no 'errors'"),
        ((*FIRST, "min_coverage"), ..., "evaluators.first has no 'min_coverage'"),
        ((*GRADER, "counts", "failed"), ..., "evaluators.first.graders.0.counts has no 'failed'"),
        ((*GRADER, "notes"), ..., "evaluators.first.graders.0 has no 'notes'"),
        (("suites", "all", "micro", "score"), ..., "suites.all.micro has no 'score'"),
        ((*GRADER, "n"), "many", "evaluators.first.graders.0.n is 'many', not a whole number"),
        ((*GRADER, "n"), True, "n is True, not a whole number"),
        ((*GRADER, "coverage"), True, "coverage is True, not a number"),
        ((*GRADER, "coverage"), None, "coverage is None, not a number"),
        ((*GRADER, "score"), "0.5", "score is '0.5', not a number"),
        (FIRST, [], "evaluators.first is no JSON object"),
        ((*GRADER, "pass_at_k"), {"x": {}}, "pass_at_k has the key 'x', which is no whole number"),
        ((*GRADER, "interval"), "guess", "interval is 'guess', not one of wilson, "),
        ((*GRADER, "notes"), "none", "notes is 'none', not a list of texts"),
        ((*FIRST, "graders"), None, "graders is None, not a list"),
        ((*GRADER, "withheld"), 3, "withheld is 3, not a text"),
        ((*GRADER, "scale", "proportion"), 0, "proportion is 0, not true or false"),
        ((*GRADER, "by"), {"f": {"%FF": {}}}, "'%FF' is no label of a group"),
    ],
)
def test_what_is_missing_or_wrong_is_said_by_its_path(
    make_ledger: Any, tmp_path: Path, path: tuple[Any, ...], value: Any, said: str
) -> None:
    report = RunReport()
    report.results["first"] = EvaluationResult.from_ledger("first", make_ledger([[1.0], [0.0]]))
    report.add_suites({"all": ["first"]})
    held = written = json.loads(json.dumps(report.to_json()))
    for key in path[:-1]:
        held = held[key]
    if value is ...:
        del held[path[-1]]
    else:
        held[path[-1]] = value
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "results.json").write_text(json.dumps(written))
    with pytest.raises(ConfigError) as raised:
        FinishedRun(tmp_path).report()
    message = str(raised.value)
    assert message.startswith(f"{tmp_path / 'results.json'}: ")
    assert said in message


def test_results_from_before_intervals_said_whether_they_hold_count_as_trusted(make_ledger) -> None:
    result = EvaluationResult.from_ledger("qa", make_ledger([[1.0, 0.0], [0.0, 1.0]]))
    raw = result.to_json()
    grader = raw["graders"][0]
    assert (grader["interval_trusted"], grader["interval_doubt"]) == (
        False,
        "few clusters, few events",
    )
    assert grader["pass_at_k"]["2"]["interval_trusted"] is False
    read = EvaluationResult.from_json(raw).graders[0].estimate
    assert (read.interval_trusted, read.interval_doubt) == (False, "few clusters, few events")
    for holder in (grader, *grader["pass_at_k"].values()):
        for key in ("interval_trusted", "interval_doubt", "unread"):
            holder.pop(key, None)
    old = EvaluationResult.from_json(raw).graders[0].estimate
    assert (old.interval_trusted, old.interval_doubt, old.unread) == (True, None, False)
    assert old.pass_at_k[2].interval_trusted is True
    nothing = EvaluationResult.from_ledger("qa", make_ledger([["f"]])).to_json()["graders"][0]
    assert nothing["interval_trusted"] is None


def test_whether_an_interval_holds_is_no_metric(make_ledger) -> None:
    result = EvaluationResult.from_ledger("qa", make_ledger([[1.0], [0.0]]))
    suite = SuiteResult.from_results("all", [result])
    assert suite.micro is not None
    assert suite.micro.interval_doubt == "few clusters, few events"
    assert not [name for name in (*result.metrics, *suite.metrics) if "interval" in name]
    assert SuiteResult.from_json(suite.to_json()) == suite
