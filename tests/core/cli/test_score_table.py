"""What a person reads on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from proctor.cli.score_table import (
    BAR_WIDTH,
    MOST_GROUPS_SHOWN,
    format_headline,
    outcome_bar,
    render_results,
)
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.scoring.results import EvaluationResult
from proctor.scoring.suite_results import SuiteResult
from proctor.types import Outcome


def printed(results, *, encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=file, width=60, highlight=False, soft_wrap=True).print(render_results(results))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_a_score_without_trouble_is_short(make_ledger):
    line = format_headline("capitals/g", make_ledger([[1.0], [0.0]] * 10).estimate("g"))
    assert line == "capitals/g  0.500 [0.288, 0.712]  n=20"


def test_an_interval_that_does_not_hold_says_so(make_ledger):
    three = format_headline("capitals/g", make_ledger([[1.0], [1.0], [0.0]]).estimate("g"))
    assert three == (
        "capitals/g  0.667 [0.063, 0.983]  n=3  interval untrusted (few clusters, few events)"
    )
    rare = format_headline("capitals/g", make_ledger([[1.0]] * 99 + [[0.0]]).estimate("g"))
    assert rare.endswith("  n=100  interval untrusted (few events)")
    result = EvaluationResult.from_ledger("qa", make_ledger([[1.0], [0.0], [1.0]]))
    doubt = "  interval untrusted (few clusters, few events)"
    suite = printed([SuiteResult.from_results("all", [result])])
    assert suite.count(doubt) == 2
    withheld = make_ledger([[1.0], ["f"]])
    assert "untrusted" not in printed([EvaluationResult.from_ledger("qa", withheld)])


def test_trouble_is_in_the_headline(make_ledger):
    rows = [[1.0]] * 30 + [[0.0]] * 6 + [["t"]] * 2 + [["m"], ["u"]]
    line = format_headline("qa/g", make_ledger(rows).estimate("g"))
    assert "  coverage 0.975  " in line
    assert "  bounds [0.750, 0.775]  " in line
    assert "  truncated 2 (0.833 over complete answers)  " in line
    assert line.endswith("  malformed 1  ungraded 1")
    assert "failed" not in line


def test_a_withheld_score_is_not_in_its_line(make_ledger):
    result = EvaluationResult.from_ledger("qa", make_ledger([[1.0], ["f"]]))
    text = printed([result])
    assert text.startswith(
        "qa/g  no score: 1 of 2 answers have a grade, under min_coverage 0.95  n=1  "
        "coverage 0.500  bounds [0.500, 1.000]  failed 1\n"
    )
    assert "1.000 [" not in text.replace("bounds", "")


def test_coverage_below_1_never_reads_as_1(make_ledger):
    line = format_headline("qa/g", make_ledger([[1.0]] * 9999 + [["f"]]).estimate("g"))
    assert "coverage 0.999" in line


def test_the_direction_and_the_decimals_fit_the_scale():
    ledger = Ledger([LedgerColumn("g", worst=1000.0, best=0.0)])
    for value in (10.0, 20.0, 33.0) * 10:
        ledger.record(ledger.add_example(), 0, "g", Outcome.GRADED, value)
    line = format_headline("qa/g", ledger.estimate("g"))
    assert line == "qa/g  21 [16, 28]  (lower is better)  n=30"


def test_one_example_has_the_whole_scale_and_an_open_scale_none():
    ledger = Ledger([LedgerColumn("g", worst=None, best=0.0)])
    ledger.record(ledger.add_example(), 0, "g", Outcome.GRADED, 3.5)
    assert format_headline("a/g", ledger.estimate("g")) == "a/g  3.500 [no interval]  n=1"


def test_the_bar_shows_each_outcome_that_occurs(make_ledger):
    rows = [[1.0]] * 960 + [["t"]] * 37 + [["m"], ["u"], ["f"]]
    bar = outcome_bar(make_ledger(rows).estimate("g"))
    assert [name for name, _ in bar] == ["graded", "truncated", "malformed", "ungraded", "failed"]
    assert sum(cells for _, cells in bar) == BAR_WIDTH
    assert all(cells >= 1 for _, cells in bar)
    assert dict(bar)["graded"] == BAR_WIDTH - 4


@pytest.mark.parametrize("parts", [(1, 0), (3, 1), (1, 1), (1, 99), (999, 1), (33, 34)])
def test_the_bar_is_always_full_and_close_to_the_shares(make_ledger, parts):
    graded, failed = parts
    bar = dict(outcome_bar(make_ledger([[1.0]] * graded + [["f"]] * failed).estimate("g")))
    assert sum(bar.values()) == BAR_WIDTH
    exact = graded * BAR_WIDTH / (graded + failed)
    assert abs(bar["graded"] - exact) <= 1
    assert ("failed" in bar) is (failed > 0)


def test_the_bar_is_legible_without_colour_and_without_unicode(make_ledger):
    rows = [[1.0]] * 30 + [["t"]] * 4 + [["m"], ["u"], ["f"]]
    ledger = make_ledger(rows)
    ledger.add_example()
    result = EvaluationResult.from_ledger("qa", ledger, min_coverage=0.5)
    text = printed([result])
    assert "\x1b" not in text
    legend = "█ 30 graded  ▒ 4 truncated  ? 1 malformed  · 1 ungraded  × 1 failed  _ 1 unrecorded"
    assert legend in text
    plain = printed([result], encoding="ascii")
    assert "# 30 graded  ~ 4 truncated  ? 1 malformed  . 1 ungraded  x 1 failed" in plain


def test_nothing_has_no_bar(make_ledger):
    text = printed([EvaluationResult.from_ledger("qa", make_ledger([]))])
    assert text == "qa/g  no score: there are no samples  n=0\n"


def test_groups_pass_at_k_and_suites_are_printed(make_ledger):
    ledger = Ledger([LedgerColumn("g", proportion=True)], 2, by=["s"])
    for index in range(MOST_GROUPS_SHOWN + 5):
        row = ledger.add_example(groups=[f"v{index:02}"])
        for sample in range(2):
            outcome = Outcome.FAILED if (index, sample) == (0, 0) else Outcome.GRADED
            ledger.record(row, sample, "g", outcome, float(sample))
    result = EvaluationResult.from_ledger("qa", ledger)
    suite = SuiteResult.from_results("all", [result])
    lines = printed([result, EvaluationResult.from_metrics("nll", {"loss": 2.5}), suite])
    assert "\n  pass@1 " in lines
    assert "pass@2 1.000" in lines
    assert "\n  qa/g/s=v01  0.500 [0.000, 1.000]  n=1  interval untrusted (few clusters)\n" in lines
    assert "\n  qa/g/s=v00  no score: 1 of 2 answers" in lines
    assert lines.count("qa/g/s=") == MOST_GROUPS_SHOWN
    assert "\n  5 more values of s: see --json\n" in lines
    assert "\nnll/loss  2.5\n" in lines
    assert "\nall/micro  " in lines
    assert "\nall/macro  " in lines


def test_a_withheld_pass_at_k_says_why(make_ledger):
    rows = [*[[1.0, 1.0]] * 9, [1.0, "f"]]
    result = EvaluationResult.from_ledger("qa", make_ledger(rows), min_coverage=0.92)
    assert "pass@2 withheld (9 of 10 have 2 samples)" in printed([result])


def test_values_from_a_dataset_can_not_write_on_the_terminal():
    ledger = Ledger([LedgerColumn("g", proportion=True)], by=["s"])
    row = ledger.add_example(groups=["\x1b[2J[red]\u202e"])
    ledger.record(row, 0, "g", Outcome.GRADED, 1.0)
    text = printed([EvaluationResult.from_ledger("qa", ledger)])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text
