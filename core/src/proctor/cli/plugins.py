"""``proctor plugins``: what became of each plugin."""

from __future__ import annotations

import json
from typing import Any

import click


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List the plugins that are installed: status, version, what each registers."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_plugins, as_json=as_json)


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_plugins(as_json: bool) -> None:
    """List the plugins: status, version, what each registers, time to load."""
    from proctor.plugins import plugin_manager

    rows = [_row(plugin) for plugin in plugin_manager().plugins]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    styles = {"ok": "green", "blocked": "dim", "broken": "red", "conflict": "yellow"}
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("plugin", "status", "distribution", "version", "registers", "load"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        registers = ", ".join(f"{r['kind']} {r['name']}" for r in row["registers"])
        trouble = f"{row['problem']}; {row['remedy']}" if row["problem"] else ""
        table.add_row(
            row["name"],
            f"[{styles[row['status']]}]{row['status']}[/]",
            row["distribution"],
            row["version"],
            "\n".join(part for part in (registers, trouble) if part),
            f"{row['seconds'] * 1000:.0f} ms",
        )
    Console(highlight=False, soft_wrap=True).print(table)
    if not rows:
        click.echo("no plugins; try: pip install proctor-text proctor-datasets proctor-local")


def _row(plugin: Any) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "status": plugin.status,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "problem": plugin.problem,
        "remedy": plugin.remedy,
        "seconds": round(plugin.seconds, 4),
        "registers": [{"kind": r.kind, "name": r.name} for r in plugin.registrations],
    }
