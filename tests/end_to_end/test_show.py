"""``proctor show`` says of a run's scores what ``proctor run`` said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """\
import proctor


class Distance(proctor.Grader):
    worst = 10.0
    best = 0.0

    def grade(self, example, sample) -> float:
        return float(abs(len(example.target) - len(sample.text)))


class Open(proctor.Grader):
    worst = None
    best = 100.0

    def grade(self, example, sample) -> float:
        return float(len(sample.text))


class Numbers(proctor.SamplingClientEvaluator):
    async def __call__(self, client):
        return {"accuracy": 0.123456, "speed": 3, "lost": float("nan")}


class Broken(proctor.SamplingClientEvaluator):
    async def __call__(self, client):
        raise RuntimeError("no [bold]luck[/bold]\\x1b[31m today")


@proctor.hookimpl
def proctor_register(registry):
    registry.grader("distance", Distance)
    registry.grader("open_ended", Open)
    registry.evaluator("numbers", Numbers)
    registry.evaluator("broken", Broken)
"""

ROWS = """\
{type: inline, rows: [
  {id: france, input: Capital of France, target: Paris, metadata: {area: a/b}},
  {id: germany, input: Capital of Germany, target: Berlin, metadata: {area: (missing)}},
  {id: italy, input: Capital of Italy, target: Rome, metadata: {area: "50%"}},
  {id: spain, input: Capital of Spain, target: Madrid},
]}"""

CONFIG = f"""\
model:
  backend: scripted
  answers: {{France: Paris, Germany: Munich, Italy: CUT, Spain: Madrid}}
plugins: [house.py, BACKEND]
evaluators:
  - name: several
    dataset: {ROWS}
    graders: [exact, substring, f1, distance, open_ended]
    by: [metadata.area]
    num_samples: 3
    min_coverage: 0.5
  - {{name: letters, num_samples: 3, graders: [number], dataset: {{type: inline, rows: [
      {{id: one, input: What is one and one, target: "2"}},
      {{id: two, input: What is two and two, target: "4"}}]}}}}
  - {{name: withheld, graders: [exact, open_ended], dataset: {{type: inline, rows: [
      {{id: lost, input: Capital of Nowhere FAILING, target: Paris}},
      {{id: kept, input: Capital of France, target: Paris}}]}}}}
  - {{type: suite, name: together, evaluators: [
      {{name: first, graders: [exact], dataset: {ROWS}}},
      {{name: second, graders: [substring], dataset: {ROWS}}}]}}
  - {{type: suite, name: apart, evaluators: [
      {{name: third, graders: [exact], dataset: {ROWS}}},
      {{name: fourth, graders: [exact], dataset: {{type: inline, rows: [
         {{id: lost, input: Capital of Nowhere FAILING, target: Paris}}]}}}}]}}
  - {{type: nll, dataset: {ROWS}, by: [metadata.area]}}
  - numbers
  - broken
"""


@pytest.fixture
def config(tmp_path: Path, scripted_backend: Path) -> str:
    (tmp_path / "house.py").write_text(PLUGIN)
    text = CONFIG.replace("BACKEND", str(scripted_backend))
    answers = "France: Paris, FAILING: FAIL, one and one: '2', two and two: '3', "
    (tmp_path / "evals.yaml").write_text(text.replace("France: Paris, ", answers, 1))
    return "evals.yaml"


def score_lines(printed: str) -> list[str]:
    """What ``run`` prints before it says where the run is."""
    lines = printed.splitlines()
    end = next(number for number, line in enumerate(lines) if line.startswith("run: "))
    return lines[:end]


def test_show_prints_the_lines_of_run(command_line: Any, config: str) -> None:
    ran = command_line("run", config, "--out", "run")
    assert ran.code == 1, ran.err
    lines = score_lines(ran.out)
    shown = command_line("show", "run").out.splitlines()
    assert shown[-len(lines) :] == lines
    assert shown[-len(lines) - 1] == ""
    text = "\n".join(lines)
    for said in (
        "several/exact  0.",
        "several/distance  ",
        "(lower is better)",
        "truncated 3 (",
        "over complete answers)",
        "coverage 0.750",
        "no score: 1 of 2 answers have a grade",
        "bounds [",
        "several/exact/metadata.area=a%2Fb  ",
        "several/exact/metadata.area=%28missing)  ",
        "several/exact/metadata.area=50%25  ",
        "several/exact/metadata.area=(missing)  ",
        "pass@1 ",
        "maj@3 ",
        "▒ 3 truncated",
        "together/micro  ",
        "together/macro  ",
        "apart  no score: no score for fourth",
        "nll/nll  1.000 [no interval]",
        "numbers/accuracy  0.1235",
        "numbers/speed  3",
        "numbers  no score: lost is nan",
        "broken: failed: RuntimeError: no [bold]luck[/bold]\\x1b[31m today",
    ):
        assert said in text, said


def test_show_says_that_a_run_was_interrupted(
    command_line: Any, config: str, tmp_path: Path
) -> None:
    command_line("run", config, "--out", "run")
    path = tmp_path / "run" / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"status": "interrupted"}))
    last = command_line("show", "run").out.splitlines()[-1]
    assert last == "interrupted: these scores are of what came back, not of the dataset"


def test_results_that_lack_something_are_an_error_of_one_line(
    command_line: Any, config: str, tmp_path: Path
) -> None:
    command_line("run", config, "--out", "run")
    path = tmp_path / "run" / "results.json"
    results = json.loads(path.read_text())
    del results["evaluators"]["first"]["graders"][0]["notes"]
    path.write_text(json.dumps(results))
    shown = command_line("show", "run")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        "error: run/results.json: evaluators.first.graders.0 has no 'notes'; "
        "restore the file; without it, the samples are shown and no scores\n"
    )
    path.unlink()
    assert "the run has no results" in command_line("show", "run").out
