"""``proctor show``: a run's questions, answers and grades."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

OUTCOMES = ("graded", "truncated", "malformed", "ungraded", "failed")


@click.command(
    epilog="""\b
Examples:
  proctor show runs/first
  proctor show runs/first --outcome truncated --limit 5
  proctor show runs/first --evaluator capitals --json | jq .answer
"""
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--evaluator", help="Only this evaluator's samples.")
@click.option("--example", help="Only the example with this id.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only samples with this outcome.")
@click.option("--worst", is_flag=True, help="Only samples that are not graded best.")
@click.option("--limit", type=click.IntRange(min=1), help="Show so many samples.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def show(
    run: Path,
    evaluator: str | None,
    example: str | None,
    outcome: str | None,
    worst: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print each question, answer and grade of RUN, a run's folder, and its scores."""
    from rich.console import Console

    from proctor.cli.terminal import printable
    from proctor.runs.finished import FinishedRun

    finished = FinishedRun(run)
    results = finished.results()
    best = _best_values(results)
    grades = finished.grades()

    def is_best(grade: dict[str, Any]) -> bool:
        reached = best.get((grade["evaluator"], grade["grader"]), 1.0)
        return bool(grade["outcome"] == "graded" and grade.get("value") == reached)

    def wanted() -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for sample in finished.samples():
            mine = grades.get((sample["evaluator"], sample["key"]), [])
            if evaluator is not None and sample["evaluator"] != evaluator:
                continue
            if example is not None and sample["example"] != example:
                continue
            if outcome is not None and all(grade["outcome"] != outcome for grade in mine):
                continue
            if worst and mine and all(map(is_best, mine)):
                continue
            yield sample, mine

    chosen = islice(wanted(), limit)
    if as_json:
        for sample, mine in chosen:
            click.echo(json.dumps(_flat(sample, mine), ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    is_empty = True
    for sample, mine in chosen:
        is_empty = False
        _print_sample(console, sample, mine, is_best)
    if is_empty:
        filtered = evaluator or example or outcome or worst
        console.print("no samples" + (" like that" if filtered else ""))
    if results is None:
        reason = finished.record.get("error")
        status = finished.record.get("status", "unfinished")
        line = f"the run has no results: it is {status}" + (f": {reason}" if reason else "")
        console.print(printable(line), markup=False)
        return
    for line in _score_lines(results):
        console.print(printable(line), markup=False)
    for name, reason in results["errors"].items():
        console.print(printable(f"{name}: failed: {reason}"), markup=False, style="red")
    if results["status"] == "interrupted":
        console.print("interrupted: these scores are of what came back, not of the dataset")


def _best_values(results: dict[str, Any] | None) -> dict[tuple[str, str], float]:
    """The best value of each (evaluator, grader)."""
    return {
        (name, grader["grader"]): grader["scale"]["best"]
        for name, result in (results or {}).get("evaluators", {}).items()
        for grader in result["graders"]
    }


def _flat(sample: dict[str, Any], grades: list[dict[str, Any]]) -> dict[str, Any]:
    from proctor.types import message_reasoning, message_text

    failed = sample["status"] == "failed"
    answer = None if failed else sample["messages"][-1]
    return {
        "evaluator": sample["evaluator"],
        "example": sample["example"],
        "index": sample["index"],
        "question": sample["messages"] if failed else sample["messages"][:-1],
        "answer": message_text(answer) if answer else None,
        "reasoning": message_reasoning(answer) if answer else None,
        "target": sample["target"],
        "status": sample["status"],
        "error": sample.get("error"),
        "grades": grades,
    }


def _print_sample(
    console: Any,
    sample: dict[str, Any],
    grades: list[dict[str, Any]],
    is_best: Callable[[dict[str, Any]], bool],
) -> None:
    from rich.text import Text

    from proctor.cli.terminal import printable
    from proctor.types import message_reasoning, message_text

    flat = _flat(sample, grades)
    number = f" #{sample['index'] + 1}" if sample["index"] else ""
    heading = f"{sample['evaluator']}  {sample['example']}{number}"
    console.print(Text(printable(heading), style="bold"))

    def field(label: str, text: str, style: str = "") -> None:
        shown = printable(text).replace("\n", "\n" + " " * 11)
        console.print(Text(f"  {label:<9}", style="dim").append(shown, style=style))

    for message in flat["question"]:
        field(message["role"], message_text(message))
        thought = message_reasoning(message)
        if thought:
            field("thinking", thought, "dim")
    if flat["reasoning"]:
        field("thinking", flat["reasoning"], "dim")
    if flat["answer"] is not None:
        field("answer", flat["answer"], "bold")
    if sample["status"] != "complete":
        reason = f": {sample['error']}" if sample.get("error") else ""
        field("status", sample["status"] + reason, "yellow")
    if "choices" in sample:
        target = sample["target"]
        field("target", f"{chr(ord('A') + target)}) {sample['choices'][target]}")
    elif sample["target"] is not None:
        target = sample["target"]
        field("target", " | ".join(target) if isinstance(target, list) else str(target))
    for grade in grades:
        value = f" {grade['value']:g}" if "value" in grade else ""
        why = grade.get("explanation") or grade.get("reason")
        note = f"  ({why})" if why else ""
        style = "green" if is_best(grade) else "red"
        field("grade", f"{grade['grader']}: {grade['outcome']}{value}{note}", style)
    console.print()


def _score_lines(results: dict[str, Any]) -> Iterator[str]:
    """A line for each score, or for why there is none."""
    for name, result in results["evaluators"].items():
        for grader in result["graders"]:
            label = f"{name}/{grader['grader']}"
            if grader["withheld"] is None:
                line = f"{label}  {_with_interval(grader)}  n={grader['n']}"
            else:
                line = f"{label}  no score: {grader['withheld']}"
            counts = [f"{outcome} {n}" for outcome, n in grader["counts"].items() if n]
            yield "  ".join([line, *(c for c in counts if not c.startswith("graded "))])
            yield from (f"  {note}" for note in grader.get("notes", ()))
        if not result["graders"]:
            yield from (f"{key}  {value:.4g}" for key, value in result["metrics"].items())
            if result["withheld"] is not None:
                yield f"{name}  no score: {result['withheld']}"
    for name, suite in results["suites"].items():
        if suite["withheld"] is not None:
            yield f"{name}  no score: {suite['withheld']}"
            continue
        for kind in ("micro", "macro"):
            yield f"{name}/{kind}  {_with_interval(suite[kind])}  n={suite['n']}"


def _with_interval(mean: dict[str, Any]) -> str:
    if mean["ci_low"] is None:
        return f"{mean['score']:.3f} [no interval]"
    return f"{mean['score']:.3f} [{mean['ci_low']:.3f}, {mean['ci_high']:.3f}]"
