"""The page and the drawing of the architecture are what the code is."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from xml.etree import ElementTree

import grimp
import pytest


@pytest.fixture(scope="module")
def drawing(root):
    file = root / "docs" / "draw_architecture.py"
    spec = importlib.util.spec_from_file_location("draw_architecture", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ladder(root) -> list[str]:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "ladder")
    return [name for layer in contract["layers"] for name in layer.split(" | ")]


def test_the_drawing_is_what_the_imports_say(root, drawing):
    written = (root / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")
    assert written == drawing.drawing(), "run: python docs/draw_architecture.py"


def test_the_drawing_has_a_dot_for_each_room_that_a_room_imports(root, ladder, core):
    """Read by our own reader of imports, and not by the drawing's."""
    foot = ladder.index("waiting")
    room_of = {name: name if i < foot else "waiting" for i, name in enumerate(ladder)}
    expected = set()
    for module in core.modules:
        importer = room_of.get(module.name.partition(".")[2].split(".")[0])
        for found in module.imports:
            named = f"{found.module}.{found.name}".split(".")
            if importer and named[0] == "proctor" and named[1] in room_of:
                expected.add((importer, room_of[named[1]]))
    expected -= {(room, room) for room in room_of}
    svg = ElementTree.parse(root / "docs" / "images" / "architecture.svg")
    titles = [title.text for title in svg.iter("{http://www.w3.org/2000/svg}title")]
    shown = {tuple(text.split(" imports ")) for text in titles if " imports " in text}
    assert shown == expected
    assert len(shown) > 40


def test_an_import_that_climbs_is_not_drawn(drawing):
    with pytest.raises(ValueError, match="scoring imports runs, which is not below it"):
        list(drawing.lines_and_dots({("scoring", "runs"): 1}, {"runs": 0, "scoring": 1}))


def test_every_room_is_on_the_page_in_the_ladder_s_order(page, ladder):
    *rooms, foot = re.findall(r"^\| (?:`(\w+)`|modules at the foot) \|(.*)$", page, re.MULTILINE)
    named = [room for room, _ in rooms] + re.findall(r"`(\w+)`", foot[1])
    assert named == ladder


def test_the_rooms_are_all_packages(ladder):
    graph = grimp.build_graph("proctor", cache_dir=None)
    rooms = [name for name in ladder if graph.find_children(f"proctor.{name}")]
    assert rooms == ladder[: ladder.index("waiting")]


def paths_on(page: str) -> list[str]:
    """What looks like a path in the code spans of a page."""
    spans = re.findall(r"`([^`\n]+)`", page)
    words = [word for span in spans for word in span.split()]
    return [word for word in words if "/" in word or re.search(r"\.(py|toml|md)$", word)]


def test_every_path_on_the_page_is_there(root, page):
    paths = paths_on(page)
    assert len(paths) > 30
    core = root / "core" / "src" / "proctor"
    assert [p for p in paths if not ((root / p).exists() or (core / p).exists())] == []


NAMES = re.compile(r"`(_?[A-Za-z]\w+)` (?:in|of|\() ?`([\w/]+\.py)`")


def test_every_name_is_in_the_file_that_it_is_said_to_be_in(root, page):
    found = NAMES.findall(page)
    assert len(found) >= 8
    for name, path in found:
        text = (root / "core" / "src" / "proctor" / path).read_text(encoding="utf-8")
        assert re.search(
            rf"^ *(?:(?:async )?def|class) {name}\b|^{name}\b.*=", text, re.MULTILINE
        ), (
            name,
            path,
        )


def test_ten_changes_have_a_place(page):
    table = page.partition("| change | made in | and then |")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == 10
    assert all(re.search(r"`[\w/]+(?:\.py|/)`", row.split("|")[2]) for row in rows)


def test_what_is_no_path_is_not_taken_for_one():
    assert paths_on("`a/b.py` and `python docs/x.py`, `Run`, `x.toml`, `--strict`") == [
        "a/b.py",
        "docs/x.py",
        "x.toml",
    ]
