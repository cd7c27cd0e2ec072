"""``proctor lint``: look at a config's datasets before anything is spent on them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proctor.cli.terminal import echo_json, printable

if TYPE_CHECKING:
    from proctor.datasets.lint import LintReport
    from proctor.evaluators.dataset_evaluator import DatasetEvaluator


@click.command(
    epilog="""\b
Examples:
  proctor lint evals.yaml
  proctor lint evals.yaml --strict      exit with 1 where there is a warning or an error
"""
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Exit with 1 where there is a warning, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def lint(config: Path, strict: bool, as_json: bool) -> None:
    """Look at the datasets of CONFIG: what would make their scores say less than they seem to.

    Duplicate rows and ids, empty targets, where the right option stands, the score of the best
    constant answer, targets that stand in their prompt, an order that would bias the first rows.
    Needs no model. Exits with 1 where there is an error.
    """
    from proctor.configs.loading import load_config
    from proctor.evaluators.dataset_evaluator import DatasetEvaluator

    loaded = load_config(config)
    reports: dict[str, LintReport] = {}
    others: list[str] = []
    for entry in loaded.evaluators:
        if isinstance(entry.evaluator, DatasetEvaluator):
            reports[entry.name] = _look(entry.evaluator, loaded.options.seed)
        else:
            others.append(entry.name)
    if as_json:
        echo_json({name: r.to_json() for name, r in reports.items()}, indent=2)
    else:
        _print(reports)
    for name in others:
        line = f"{printable(name)}  not looked at: it has no dataset that lint can read"
        # with --json, what is on stdout is the findings
        click.echo(line, err=as_json)
    failing = {"error", "warning"} if strict else {"error"}
    if any(report.worst in failing for report in reports.values()):
        raise click.exceptions.Exit(1)


def _look(evaluator: DatasetEvaluator, seed: int) -> LintReport:
    """What is odd about an evaluator's dataset, which is closed again."""
    from proctor.datasets.lint import lint_examples

    try:
        asyncio.run(evaluator.open_datasets())
        return lint_examples(
            evaluator.dataset.examples(),
            needs_target=evaluator.needs_target,
            shows_choices=evaluator.shows_choices,
            use=evaluator.check_example,
            limit=evaluator.limit,
            by=evaluator.by,
            seed=seed,
        )
    finally:
        asyncio.run(evaluator.close())


def _print(reports: dict[str, LintReport]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True, emoji=False)
    if not reports:
        console.print("no evaluator of this config has a dataset to look at")
    styles = {"error": "bold red", "warning": "yellow", "info": "dim"}
    for name, report in reports.items():
        console.print(Text(f"{printable(name)}  {report.rows} rows", style="bold"))
        for finding in report.findings:
            line = Text(f"  {finding.severity:<8}", style=styles.get(finding.severity, ""))
            line.append(printable(finding.message), style="")
            if finding.rows:
                rows = ", ".join(str(row) for row in finding.rows)
                line.append(f" (rows {rows})", style="dim")
            console.print(line)
            if finding.fix:
                console.print(Text(f"          {printable(finding.fix)}", style="dim"))
        if not report.findings:
            console.print(Text("  nothing found", style="green"))
