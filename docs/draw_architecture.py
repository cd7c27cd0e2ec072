"""Draws images/architecture.svg from the core's imports: ``python docs/draw_architecture.py``.

The rooms stand on a staircase, in the order of the ladder in pyproject.toml, each with the first
line of its docstring. A room's line goes down, and has a dot wherever the room imports the one that
the dot's row leads to. The modules that belong to no room are one step at the foot.
"""

from __future__ import annotations

import ast
import html
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "core" / "src" / "proctor"
IMAGE = ROOT / "docs" / "images" / "architecture.svg"

Edges = Counter[tuple[str, str]]
"""How many modules of one room import how many of another: pairs of modules, by pairs of rooms."""

BOX_WIDTH, BOX_HEIGHT = 100, 28
STEP_X, STEP_Y = 44, 42
WIDTH = 1120
FOOT_WIDTH = 320
LINE = 22
"""How far into its box a room's line begins."""
MARGIN = 28
SIZES = ((1, 3.5), (4, 5.5), (10, 8.0))
"""From how many imports on a dot has which radius."""

STYLE = """\
  .ground { fill: #ffffff } .rung { fill: #f1f3f5 } .box { fill: #ffffff; stroke: #57606a }
  .foot { fill: #f1f3f5; stroke: #57606a } .line { stroke: #afb8c1; fill: none }
  .head { fill: #57606a } .dot { fill: #0a58ca }
  text { fill: #1f2328; font: 14px system-ui, sans-serif }
  .small { fill: #57606a; font-size: 13px }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .rung { fill: #161b22 } .box { fill: #0d1117; stroke: #8b949e }
    .foot { fill: #161b22; stroke: #8b949e } .line { stroke: #484f58 } .head { fill: #8b949e }
    .dot { fill: #6cb6ff } text { fill: #e6edf3 } .small { fill: #9ea7b3 }
  }"""


def ladder(graph: grimp.ImportGraph) -> list[list[str]]:
    """The rungs of the ladder, top first, each with its rooms; the last has the other modules."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "ladder")
    rungs = [layer.split(" | ") for layer in layers]
    rooms = {name for name in graph.find_children("proctor") if graph.find_children(name)}
    split = next(i for i, rung in enumerate(rungs) if f"proctor.{rung[0]}" not in rooms)
    return [*rungs[:split], [name for rung in rungs[split:] for name in rung]]


def edges(graph: grimp.ImportGraph, foot: list[str]) -> Edges:
    """The imports between rooms; the modules at the foot count as one room, by its first name."""
    joined = dict.fromkeys(foot, foot[0])
    found: Edges = Counter()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            pair = [name.partition(".")[2].split(".")[0] for name in (importer, imported)]
            above, below = (joined.get(name, name) for name in pair)
            if above not in ("", "__main__", below) and below:
                found[above, below] += 1
    return found


def drawing() -> str:
    """The text of architecture.svg."""
    graph = grimp.build_graph("proctor", cache_dir=None)
    *rungs, foot = ladder(graph)
    rooms = [room for rung in rungs for room in rung]
    step = {room: index for index, room in enumerate([*rooms, foot[0]])}
    under = _place(len(rooms))[1] + BOX_HEIGHT
    height = under + 98
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title">',
        '<title id="title">The rooms of the core, and which of them import which</title>',
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        *_grounds([rung for rung in rungs if len(rung) > 1], step),
        *lines_and_dots(edges(graph, foot), step),
        *(_box(step[room], room, purpose(room)) for room in rooms),
        _box(len(rooms), " · ".join(foot), kind="foot", width=FOOT_WIDTH),
        *_legend(under + 38),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def purpose(room: str) -> str:
    """What a room is for: its docstring's first line, without the room's own name."""
    text = ast.get_docstring(ast.parse((CORE / room / "__init__.py").read_text(encoding="utf-8")))
    line = (text or "").split("\n")[0].rstrip(".")
    name, colon, rest = line.partition(": ")
    return rest if colon and name.lower() == room else line[:1].lower() + line[1:]


def _place(step: int) -> tuple[int, int]:
    """The upper left corner of a step's box."""
    return MARGIN + step * STEP_X, MARGIN + step * STEP_Y


def _box(step: int, name: str, said: str = "", kind: str = "box", width: int = BOX_WIDTH) -> str:
    x, y = _place(step)
    said = html.escape(said, quote=False)
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text x="{x + width / 2:g}" y="{y + 19}" text-anchor="middle">{name}</text>'
        f'<text class="small" x="{x + width + 12}" y="{y + 19}">{said}</text>'
    )


def _grounds(rungs: list[list[str]], step: dict[str, int]) -> Iterator[str]:
    """A ground for the rooms of one rung, which know nothing of each other."""
    for rung in rungs:
        (x, y), (_, bottom) = _place(step[rung[0]]), _place(step[rung[-1]])
        yield (
            f'<rect class="rung" x="{x - 8}" y="{y - 7}" rx="10" '
            f'width="{WIDTH - MARGIN - x + 8}" height="{bottom - y + BOX_HEIGHT + 14}"/>'
        )


def lines_and_dots(found: Edges, step: dict[str, int]) -> Iterator[str]:
    """A line down from each room that imports, one into each that is imported, and the dots."""
    dots = []
    for room, (x, y) in ((room, _place(index)) for room, index in step.items()):
        below = [imported for importer, imported in found if importer == room]
        if climbing := [name for name in below if step[name] <= step[room]]:
            raise ValueError(f"{room} imports {climbing[0]}, which is not below it")
        if below:
            end = max(_place(step[name])[1] for name in below) + BOX_HEIGHT // 2
            yield f'<path class="line" d="M{x + LINE} {y + BOX_HEIGHT}V{end}"/>'
        above = [importer for importer, imported in found if imported == room]
        if not above:
            continue
        row = y + BOX_HEIGHT // 2
        start = min(_place(step[name])[0] for name in above) + LINE
        yield f'<path class="line" d="M{start} {row}H{x - 6}"/>'
        yield f'<path class="head" d="M{x} {row}l-8 -4v8z"/>'
        for name in sorted(above, key=step.__getitem__):
            radius = max(size for least, size in SIZES if found[name, room] >= least)
            column = _place(step[name])[0] + LINE
            dots.append(
                f'<circle class="dot" cx="{column}" cy="{row}" r="{radius:g}">'
                f"<title>{name} imports {room}</title></circle>"
            )
    yield from dots


def _legend(y: int) -> Iterator[str]:
    """How to read it, under the staircase."""
    lines = (
        "Down from a room, each dot is a room that it imports. Left of a room, each dot is one "
        "that imports it. No line goes up.",
        "Rooms on one ground know nothing of each other.",
    )
    for line in lines:
        yield f'<text class="small" x="{MARGIN}" y="{y}">{line}</text>'
        y += 22
    x = MARGIN + 8
    ends = [f" to {upper - 1}" for _, (upper, _) in pairwise(SIZES)] + [" imports or more"]
    for (least, radius), end in zip(SIZES, ends, strict=True):
        yield f'<circle class="dot" cx="{x}" cy="{y - 4}" r="{radius:g}"/>'
        yield f'<text class="small" x="{x + 13}" y="{y}">{least}{end}</text>'
        x += 70


if __name__ == "__main__":
    IMAGE.write_text(drawing(), encoding="utf-8")
