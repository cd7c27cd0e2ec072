"""``proctor list``: the components that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import click

from proctor.errors import ProctorError
from proctor.plugins.core_names import KINDS

if TYPE_CHECKING:
    from proctor.plugins.plugin import Registration


class Row(TypedDict):
    """What is said of a component."""

    kind: str
    name: str
    distribution: str
    version: str
    summary: str
    options: list[str]


@click.command(
    "list",
    epilog="""\b
Examples:
  proctor list
  proctor list grader
  proctor list dataset --json
""",
)
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_components(kind: str | None, as_json: bool) -> None:
    """List the components of KIND, or of every kind, that installed plugins name."""
    from proctor.plugins.active import plugin_manager

    manager = plugin_manager()
    rows = [_row(r) for k in ([kind] if kind else KINDS) for r in manager.registry.of_kind(k)]
    if as_json:
        from proctor.cli.terminal import echo_json

        echo_json(rows, indent=2)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from proctor.cli.terminal import printable

    console = Console(highlight=False, soft_wrap=True, emoji=False)
    if not console.is_terminal:
        # a line each, whole, for whatever reads them
        console.width = 10_000
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    for heading in ("kind", "name", "from", "what it is", "options"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        cells = [row["kind"], row["name"], row["distribution"], row["summary"]]
        cells.append(", ".join(row["options"]))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
    for line in manager.registry.broken_plugins:
        console.print(printable(f"broken plugin {line}"), style="red", markup=False)


def _row(registration: Registration) -> Row:
    from proctor.components.component import summary
    from proctor.components.options import signature_model

    row: Row = {
        "kind": registration.kind,
        "name": registration.name,
        "distribution": registration.distribution,
        "version": registration.distribution_version,
        "summary": "",
        "options": [],
    }
    try:
        target = registration.load()
    except ProctorError as error:
        row["summary"] = f"broken: {error}"
        return row
    if hasattr(target, "model_fields"):
        row["options"] = list(target.model_fields)
    elif registration.kind == "evaluator" and callable(target):
        row["options"] = list(signature_model(target).model_fields)
    if isinstance(registration.target, str) or not hasattr(target, "keys"):
        row["summary"] = summary(target)
    else:
        row["summary"] = "a preset"
    return row
