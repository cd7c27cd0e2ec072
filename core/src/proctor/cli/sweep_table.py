"""A sweep for people: a row for each checkpoint, a column for each score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proctor.cli.score_table import format_headline, format_suite
from proctor.cli.terminal import printable
from proctor.runs.report import RunReport
from proctor.runs.sweep import SweepReport

if TYPE_CHECKING:
    from rich.table import Table


def sweep_table(sweep: SweepReport) -> Table:
    """All scores of a sweep, with their intervals and counts of trouble."""
    from rich.table import Table
    from rich.text import Text

    rows = [_cells(run.report) if run.report else {} for run in sweep.runs]
    labels = list(dict.fromkeys(label for row in rows for label in row))
    table = Table("checkpoint", show_lines=True)
    for label in labels:
        table.add_column(Text(label))
    for run, cells in zip(sweep.runs, rows, strict=True):
        shown = [Text(cells.get(label, "failed" if run.error else "no result")) for label in labels]
        table.add_row(Text(printable(run.name)), *shown)
    return table


def sweep_failures(sweep: SweepReport) -> list[str]:
    """A line for each checkpoint, or evaluator of one, that has no result."""
    lines = [f"{run.name}: failed: {run.error}" for run in sweep.runs if run.error]
    for run in sweep.runs:
        for name, reason in (run.report.errors if run.report else {}).items():
            lines.append(f"{run.name}: {name}: failed: {reason}")
    return [printable(line) for line in lines]


def _cells(report: RunReport) -> dict[str, str]:
    cells: dict[str, str] = {}
    for result in report.results.values():
        for grader in result.graders:
            _, *parts = format_headline("score", grader.estimate, grader.withheld).split("  ")
            cells[printable(f"{result.name}/{grader.grader}")] = "\n".join(parts)
        if not result.graders:
            cells |= {printable(key): f"{value:.4g}" for key, value in result.metrics.items()}
            if result.withheld is not None:
                cells[printable(result.name)] = printable(f"no score: {result.withheld}")
    for suite in report.suites.values():
        for line in format_suite(suite):
            label, *parts = line.split("  ")
            cells[label] = "\n".join(parts)
    return cells
