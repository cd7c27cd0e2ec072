"""What ``docs/scores.md`` says is measured, and printed, as it says."""

from __future__ import annotations

import io
import re
from pathlib import Path

import intervals as benchmark
from rich.console import Console

from proctor.cli.score_table import render_results
from proctor.scoring.results import EvaluationResult
from proctor.scoring.whole_dataset import DrawnRows

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")


def test_the_table_of_coverage_is_the_benchmarks():
    row = r"^\| ([^|]+) \| ([^|]+) \| \d+ \| [\d.]* \| ([\d.]+) \| \d+% \| ([^|]*) \|$"
    rows = re.findall(row, PAGE, flags=re.MULTILINE)
    cells = list(benchmark.cells())
    assert [(cell.kind, cell.name) for cell in cells] == [(kind, name) for kind, name, _, _ in rows]
    assert {target for _, _, _, target in rows} <= {"", "kept"}
    for cell, (_, _, held, _) in list(zip(cells, rows, strict=True))[::11]:
        measured = benchmark.measure(cell, 100, seed=1).held
        # Four standard errors of the difference of the two shares.
        assert abs(measured - float(held)) < 0.1, cell.name


def shown(results):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="utf-8")
    Console(file=file, highlight=False, soft_wrap=True).print(render_results(results))
    file.flush()
    return raw.getvalue().decode().replace("/g ", "/substring ")


def test_the_lines_of_the_examples_are_what_is_printed(make_ledger):
    capitals = make_ledger([[1.0], [1.0], [0.0]])
    qa = make_ledger([[1.0]] * 30 + [[0.0]] * 6 + [["t"]] * 2 + [["m"], ["u"]])
    results = [
        EvaluationResult.from_ledger(name, ledger)
        for name, ledger in (("capitals", capitals), ("qa", qa))
    ]
    half = EvaluationResult.from_ledger(
        "qa",
        make_ledger([[1.0]] * 70 + [[0.0]] * 30),
        drawn=DrawnRows([""] * 100, {"": 200}),
    )
    examples = re.findall(r"```\n(.+?)```", PAGE, flags=re.DOTALL)
    assert examples == [shown(results), shown([half])]
