"""``proctor show``: a run's questions, answers and grades."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from proctor.runs.finished import FinishedRun, Record
    from proctor.runs.report import RunReport

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

    from proctor.cli.score_table import print_report
    from proctor.cli.terminal import echo_json, printable
    from proctor.runs.finished import FinishedRun

    finished = FinishedRun(run)
    report = finished.report()
    wanted = _Wanted(evaluator, example, outcome, worst, _best_values(report))
    chosen = islice(wanted.of(finished), limit)
    if as_json:
        for sample, mine in chosen:
            echo_json(_flat(sample, mine))
        return
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    is_empty = True
    for sample, mine in chosen:
        is_empty = False
        _print_sample(console, sample, mine, wanted.is_best)
    if is_empty:
        console.print("no samples" + (" like that" if wanted.is_filter else ""))
    if report is not None:
        print_report(console, report)
        return
    reason, status = finished.record.get("error"), finished.status
    was = "was" if status == "killed" else "is"
    line = f"the run has no results: it {was} {status}" + (f": {reason}" if reason else "")
    console.print(printable(line), markup=False)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which samples to show.

    Attributes:
        evaluator: Those of one evaluator; None for all.
        example: Those of the example with this id.
        outcome: Those that a grader gave this outcome.
        worst: Those that are not graded best.
        best: The best value of each (evaluator, grader).
    """

    evaluator: str | None
    example: str | None
    outcome: str | None
    worst: bool
    best: Mapping[tuple[str, str], float]

    @property
    def is_filter(self) -> bool:
        """Whether there may be samples that are not wanted."""
        return bool(self.evaluator or self.example or self.outcome or self.worst)

    def of(self, run: FinishedRun) -> Iterator[tuple[Record, list[Record]]]:
        """The samples of a run that are wanted, each with its grades."""
        grades = run.grades()
        for sample in run.samples():
            mine = grades.get((sample["evaluator"], sample["key"]), [])
            if self.evaluator is not None and sample["evaluator"] != self.evaluator:
                continue
            if self.example is not None and sample["example"] != self.example:
                continue
            if self.outcome is not None and all(g["outcome"] != self.outcome for g in mine):
                continue
            if self.worst and mine and all(map(self.is_best, mine)):
                continue
            yield sample, mine

    def is_best(self, grade: Record) -> bool:
        """Whether a grade can't be better."""
        reached = self.best.get((grade["evaluator"], grade["grader"]), 1.0)
        return bool(grade["outcome"] == "graded" and grade.get("value") == reached)


def _best_values(report: RunReport | None) -> dict[tuple[str, str], float]:
    """The best value of each (evaluator, grader)."""
    return {
        (name, grader.grader): grader.estimate.best
        for name, result in (report.results if report else {}).items()
        for grader in result.graders
    }


def _flat(sample: Record, grades: list[Record]) -> Record:
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
    console: Console,
    sample: Record,
    grades: list[Record],
    is_best: Callable[[Record], bool],
) -> None:
    from rich.text import Text

    from proctor.cli.terminal import printable, printable_line
    from proctor.types import message_reasoning, text_with_images

    flat = _flat(sample, grades)
    number = f" #{sample['index'] + 1}" if sample["index"] else ""
    heading = f"{sample['evaluator']}  {sample['example']}{number}"
    console.print(Text(printable_line(heading), style="bold"))

    def field(label: str, text: str, style: str = "") -> None:
        shown = printable(text).replace("\n", "\n" + " " * 11)
        console.print(Text(f"  {label:<9}", style="dim").append(shown, style=style))

    for message in flat["question"]:
        field(message["role"], text_with_images(message))
        for part in message["content"]:
            if isinstance(part, dict) and (kept := part.get("file") or part.get("name")):
                field("image", str(kept), "dim")
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
