"""The ladder of rooms in pyproject.toml holds, and whatever climbs it is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture
def lint(root, tmp_path):
    """Holds the core in a source folder to the contracts: the exit status, and what was printed."""

    def run(source: Path) -> tuple[int, str]:
        script = root / "tests" / "support" / "import_ladder.py"
        ended = subprocess.run(
            [sys.executable, "-P", script, root / "pyproject.toml"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(source), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert ended.stderr == ""
        assert not list(tmp_path.glob(".*")), "nothing is cached"
        return ended.returncode, ended.stdout

    return run


@pytest.fixture
def plant(root, tmp_path):
    """Copies the core, and appends text to modules of the copy, which is returned."""

    def planted(additions: dict[str, str]) -> Path:
        source = tmp_path / "src"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / "core" / "src" / "proctor", source / "proctor", ignore=ignored)
        for module, text in additions.items():
            file = source / "proctor" / module
            file.parent.mkdir(exist_ok=True)
            with file.open("a", encoding="utf-8") as opened:
                opened.write(text)
        return source

    return planted


def line_of(source: Path, module: str, text: str) -> int:
    """The number of the only line of a module that has a text."""
    lines = (source / "proctor" / module).read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if line.strip() == text)
    return number


def test_every_room_knows_only_those_below_it(root, lint):
    status, printed = lint(root / "core" / "src")
    assert status == 0, printed
    assert "Contracts: 2 kept, 0 broken." in printed


def test_a_copy_without_a_change_passes(plant, lint):
    status, printed = lint(plant({}))
    assert status == 0, printed


UPWARD = "from proctor.runs.report import RunReport"


@pytest.mark.parametrize(
    "planted",
    [
        f"\n{UPWARD}\n",
        f"\ndef late() -> None:\n    {UPWARD}\n",
        f"\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {UPWARD}\n",
    ],
    ids=["at the top", "in a function", "for type checkers"],
)
def test_an_import_that_climbs_is_named(planted, plant, lint):
    source = plant({"scoring/pass_at_k.py": planted})
    status, printed = lint(source)
    assert status == 1
    assert "A room knows those below it BROKEN" in printed
    line = line_of(source, "scoring/pass_at_k.py", UPWARD)
    assert f"proctor.scoring.pass_at_k -> proctor.runs.report (l.{line})" in printed


def test_an_import_between_rooms_of_one_rung_climbs_too(plant, lint):
    upward = "from proctor.scoring.grades import GradeTally"
    source = plant({"renderers/markup.py": f"\n{upward}\n"})
    status, printed = lint(source)
    assert status == 1
    line = line_of(source, "renderers/markup.py", upward)
    assert f"proctor.renderers.markup -> proctor.scoring.grades (l.{line})" in printed


def test_a_circle_within_a_room_is_named_line_by_line(plant, lint):
    back = "from proctor.scoring.results import EvaluationResult"
    forth = "from proctor.scoring.ledger import Ledger"
    source = plant({"scoring/ledger.py": f"\n{back}\n"})
    status, printed = lint(source)
    assert status == 1
    assert "No circle between modules BROKEN" in printed
    assert "A room knows those below it KEPT" in printed
    first = line_of(source, "scoring/ledger.py", back)
    second = line_of(source, "scoring/results.py", forth)
    assert f"proctor.scoring.ledger:{first} imports proctor.scoring.results\n" in printed
    assert f"proctor.scoring.results:{second} imports proctor.scoring.ledger\n" in printed


def test_a_circle_deeper_in_a_room_is_found(plant, lint):
    back = "from proctor.datasets.lint.dataset import lint_dataset"
    source = plant({"datasets/lint/finding.py": f"\n{back}\n"})
    status, printed = lint(source)
    assert status == 1
    assert "a circle in proctor.datasets.lint:" in printed
    line = line_of(source, "datasets/lint/finding.py", back)
    assert f"proctor.datasets.lint.finding:{line} imports proctor.datasets.lint.dataset" in printed


def test_a_circle_through_a_room_s_own_exports_is_found(plant, lint):
    back = "from proctor.renderers import get_renderer"
    source = plant({"renderers/base.py": f"\n{back}\n"})
    status, printed = lint(source)
    assert status == 1
    line = line_of(source, "renderers/base.py", back)
    assert f"proctor.renderers.base:{line} imports proctor.renderers\n" in printed
    assert "imports proctor.renderers.base\n" in printed


def test_an_import_of_the_whole_core_climbs(plant, lint):
    upward = "from proctor import open_model"
    source = plant({"scoring/pass_at_k.py": f"\n{upward}\n"})
    status, printed = lint(source)
    assert status == 1
    line = line_of(source, "scoring/pass_at_k.py", upward)
    assert f"proctor.scoring.pass_at_k -> proctor (l.{line})" in printed


@pytest.mark.parametrize("module", ["attic.py", "attic/__init__.py"])
def test_what_has_no_place_on_the_ladder_is_an_error(module, plant, lint):
    status, printed = lint(plant({module: "BOX = 1\n"}))
    assert status == 1
    assert "A room knows those below it BROKEN" in printed
    assert "not listed as layers:\n\n- proctor.attic\n" in printed


def test_no_import_is_excepted(root):
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    linter = settings["importlinter"]
    assert "exclude_type_checking_imports" not in linter
    ladder, circles = linter["contracts"]
    assert ladder["exhaustive"]
    assert ladder["exhaustive_ignores"] == ["__main__"]
    for contract in (ladder, circles):
        assert not {"ignore_imports", "skip_descendants"} & set(contract)
