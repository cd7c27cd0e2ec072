"""``proctor plugins``: what became of each plugin, what is wrong with it, a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

if TYPE_CHECKING:
    from proctor.plugins.plugin import Plugin

STYLES = {"ok": "green", "blocked": "dim", "broken": "red", "conflict": "yellow"}


class Row(TypedDict):
    """What is said of a plugin."""

    name: str
    status: str
    distribution: str
    version: str
    problems: list[dict[str, str]]
    seconds: float
    registers: list[dict[str, str]]


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  proctor plugins                      what is installed, and what each registers
  proctor plugins doctor               what is wrong, and what to do about it
  proctor plugins new proctor-polite   a plugin to start from, with tests that pass
""",
)
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
    from proctor.plugins.active import plugin_manager

    rows = [_row(plugin) for plugin in plugin_manager().plugins]
    if as_json:
        from proctor.cli.terminal import echo_json

        echo_json(rows, indent=2)
        return
    if not rows:
        click.echo("no plugins; try: pip install proctor-text proctor-datasets proctor-local")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from proctor.cli.terminal import printable

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("plugin", "status", "distribution", "version", "registers", "load"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        registers = Text(", ".join(f"{r['kind']} {r['name']}" for r in row["registers"]))
        for problem in row["problems"]:
            line = printable(f"{problem['problem']}; {problem['remedy']}")
            registers.append(("\n" if registers else "") + line, style=STYLES[row["status"]])
        table.add_row(
            Text(row["name"]),
            Text(row["status"], style=STYLES[row["status"]]),
            Text(row["distribution"]),
            Text(row["version"]),
            registers,
            f"{row['seconds'] * 1000:.0f} ms",
        )
    Console(highlight=False, soft_wrap=True, emoji=False).print(table)


def _row(plugin: Plugin) -> Row:
    return {
        "name": plugin.name,
        "status": plugin.status,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "problems": [{"problem": p.what, "remedy": p.remedy} for p in plugin.problems],
        "seconds": round(plugin.seconds, 4),
        "registers": [{"kind": r.kind, "name": r.name} for r in plugin.registrations],
    }


@plugins.command()
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def doctor(as_json: bool) -> None:
    """Say what is wrong with each plugin, and what to do. Exits with 1 where something is."""
    from proctor.cli.terminal import printable
    from proctor.plugins.active import plugin_manager
    from proctor.plugins.doctor import diagnose

    manager = plugin_manager()
    findings = diagnose(manager)
    if as_json:
        rows = [
            {
                "plugin": finding.plugin.name,
                "distribution": finding.plugin.distribution,
                "version": finding.plugin.version,
                "status": finding.plugin.status,
                "problem": finding.problem.what,
                "remedy": finding.problem.remedy,
            }
            for finding in findings
        ]
        from proctor.cli.terminal import echo_json

        echo_json(rows, indent=2)
    else:
        for finding in findings:
            plugin = finding.plugin
            click.echo(
                f"{plugin.qualified_name} {plugin.version}: {printable(finding.problem.what)}"
            )
            click.echo(f"    {printable(finding.problem.remedy)}")
        _summarise(manager.plugins, len(findings))
    if findings:
        raise click.exceptions.Exit(1)


def _summarise(found: list[Plugin], problems: int) -> None:
    left_out = [plugin.qualified_name for plugin in found if plugin.status == "blocked"]
    count = {0: "no problem", 1: "1 problem"}.get(problems, f"{problems} problems")
    noun = "plugin" if len(found) - len(left_out) == 1 else "plugins"
    click.echo(f"{len(found) - len(left_out)} {noun}, {count}")
    if left_out:
        click.echo(f"not looked at, since they were left out: {', '.join(left_out)}")


@plugins.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["grader", "evaluator", "dataset"]),
    default="grader",
    show_default=True,
    help="What the plugin starts with.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to make; else one called NAME, here.",
)
def new(name: str, kind: str, out: Path | None) -> None:
    """Write the distribution NAME: a plugin that installs, with tests that pass.

    A name is in lower case, with hyphens, such as proctor-polite.
    """
    from proctor.plugins.template import write_plugin_project

    project = write_plugin_project(name, kind, out or Path(name))
    click.echo(f"wrote {project.folder}: {kind} {project.component!r}")
    click.echo(
        f"next: pip install -e '{project.folder}[test]' && python -m pytest {project.folder}"
    )
