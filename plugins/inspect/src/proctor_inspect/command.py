"""``proctor export``: a run in another tool's format."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  proctor export runs/first --to inspect
  inspect view --log-dir runs/first/inspect-logs
"""
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(["inspect"]), required=True, help="The format.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder for the logs; else RUN/inspect-logs."
)
@click.option(
    "--format", "log_format", type=click.Choice(["eval", "json"]), default="eval", show_default=True
)
def export(run: Path, to: str, out: Path | None, log_format: str) -> None:
    """Write RUN, a run's folder, as logs that inspect view and inspect_ai.analysis read."""
    from proctor_inspect.export import export_run

    for file in export_run(run, out or run / "inspect-logs", log_format):
        click.echo(str(file))
