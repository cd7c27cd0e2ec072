"""``proctor lint``: look at a config's datasets before anything is spent on them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from proctor.datasets.lint import LintReport


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
    from proctor.datasets.lint import lint_examples
    from proctor.evaluators.graded import GradedEvaluator

    loaded = load_config(config)
    reports: dict[str, LintReport] = {}
    for entry in loaded.evaluators:
        evaluator = entry.evaluator
        if not isinstance(evaluator, GradedEvaluator):
            continue
        try:
            asyncio.run(evaluator.open_datasets())
            reports[entry.name] = lint_examples(
                evaluator.dataset.examples(),
                needs_target=any(grader.needs_target for grader in evaluator.graders),
                limit=evaluator.limit,
                by=evaluator.by,
                seed=loaded.options.seed,
            )
        finally:
            asyncio.run(evaluator.close())
    if as_json:
        click.echo(json.dumps({name: r.to_json() for name, r in reports.items()}, indent=2))
    else:
        _print(reports)
    failing = {"error", "warning"} if strict else {"error"}
    if any(report.worst in failing for report in reports.values()):
        raise click.exceptions.Exit(1)


def _print(reports: dict[str, LintReport]) -> None:
    from rich.console import Console
    from rich.text import Text

    from proctor.cli.terminal import printable

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
