"""What ``docs/scores.md`` says is measured, and printed, as it says."""

from __future__ import annotations

import io
import re
import runpy
from pathlib import Path

from rich.console import Console

from proctor.cli.score_table import render_results
from proctor.scoring.results import EvaluationResult

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")


def test_the_table_of_coverage_is_the_benchmarks():
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "intervals.py"))
    rows = dict(re.findall(r"^\| (.+?) \| ([\d.]+)% \|", PAGE, flags=re.MULTILINE))
    cases = list(benchmark["cases"]())
    assert [case.name for case in cases] == list(rows)
    for case in cases:
        measured = benchmark["coverage"](case, 1000, seed=1)
        # Three standard errors of the difference of two measured shares near 0.9.
        assert abs(measured - float(rows[case.name]) / 100) < 0.035, case.name


def test_the_lines_of_the_example_are_what_is_printed(make_ledger):
    capitals = make_ledger([[1.0], [1.0], [0.0]])
    qa = make_ledger([[1.0]] * 30 + [[0.0]] * 6 + [["t"]] * 2 + [["m"], ["u"]])
    results = [
        EvaluationResult.from_ledger(name, ledger)
        for name, ledger in (("capitals", capitals), ("qa", qa))
    ]
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="utf-8")
    Console(file=file, highlight=False, soft_wrap=True).print(render_results(results))
    file.flush()
    shown = raw.getvalue().decode().replace("/g ", "/substring ")
    (example,) = re.findall(r"```\n(.+?)```", PAGE, flags=re.DOTALL)
    assert example == shown
