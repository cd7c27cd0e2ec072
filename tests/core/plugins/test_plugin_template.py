"""``proctor plugins new``: what it writes, and what it refuses. That it installs is end to end."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from proctor.plugins.template import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_whole(kind: str, command_line: Any, tmp_path: Path) -> None:
    printed = command_line("plugins", "new", "proctor-very-polite", "--kind", kind)
    assert printed.code == 0, printed.err
    folder = tmp_path / "proctor-very-polite"
    texts = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*.*")}
    assert set(texts) == {
        "pyproject.toml",
        "README.md",
        "src/proctor_very_polite/__init__.py",
        "src/proctor_very_polite/py.typed",
        f"src/proctor_very_polite/very_polite_{kind}.py",
        "tests/test_very_polite.py",
    }
    assert not [name for name, text in texts.items() if "$" in text]
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["entry-points"]["proctor"] == {"very_polite": "proctor_very_polite"}
    assert project["dependencies"] == ["proctor>=0.1,<0.2"]
    entry = ast.parse(texts["src/proctor_very_polite/__init__.py"])
    imported = {node.module for node in ast.walk(entry) if isinstance(node, ast.ImportFrom)}
    assert imported == {"proctor"}, "an entry module only names things"
    assert str(Path("proctor-very-polite")) in printed.out


@pytest.mark.parametrize(
    "name", ["Polite", "po lite", "polite_", "1st", "-a", "a--b", "../polite", "polité", ""]
)
def test_a_name_that_is_none_is_refused(name: str, command_line: Any, tmp_path: Path) -> None:
    printed = command_line("plugins", "new", "--", name)
    assert printed.code == 2
    assert "is no name for a plugin" in printed.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["json", "proctor", "proctor-class"])
def test_a_name_that_python_has_is_refused(name: str, command_line: Any, tmp_path: Path) -> None:
    printed = command_line("plugins", "new", name)
    assert printed.code == 2
    assert "is taken" in printed.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(command_line: Any, tmp_path: Path) -> None:
    folder = tmp_path / "polite"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    printed = command_line("plugins", "new", "polite")
    assert printed.code == 2
    assert "polite is there already" in printed.err
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"


def test_a_folder_of_another_name(command_line: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert command_line("plugins", "new", "polite", "--out", "empty").code == 0
    assert (tmp_path / "empty" / "pyproject.toml").is_file()
    (tmp_path / "file").touch()
    assert command_line("plugins", "new", "polite", "--out", "file/below").code == 2
