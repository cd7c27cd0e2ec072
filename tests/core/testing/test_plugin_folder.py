"""Plugins without pip: found while the folder is there, gone when it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.components.build import build
from proctor.plugins.active import plugin_manager
from proctor.testing import PluginFolder

SOURCE = """
import proctor

@proctor.hookimpl
def proctor_register(registry):
    registry.grader("short", "house_short:Short")
"""
SHORT = """
import proctor

class Short(proctor.Grader):
    '''Short answers are right.'''

    def grade(self, example, sample) -> bool:
        return len(sample.text) < 10
"""


def test_found_inside_and_gone_after(tmp_path: Path) -> None:
    before = plugin_manager()
    with PluginFolder(tmp_path) as folder:
        folder.add(SOURCE, version="2.5", modules={"house_short.py": SHORT})
        grader = build("grader", "short")
        assert type(grader).__module__ == "house_short"
        (plugin,) = [p for p in plugin_manager().plugins if p.name == "house"]
        assert (plugin.distribution, plugin.version) == ("house-evals", "2.5")
    assert plugin_manager() is before
    assert str(tmp_path) not in sys.path
    assert "house_short" not in sys.modules
    with pytest.raises(proctor.UnknownComponentError):
        build("grader", "short")


def test_gone_after_an_error_too(tmp_path: Path) -> None:
    folder = PluginFolder(tmp_path)
    folder.add("raise ValueError('boom')")
    with pytest.raises(proctor.UnknownComponentError, match="boom"), folder:
        build("grader", "short")
    assert str(tmp_path) not in sys.path


def test_another_process_finds_them(tmp_path: Path) -> None:
    folder = PluginFolder(tmp_path)
    folder.add(SOURCE, modules={"house_short.py": SHORT})
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            "import proctor.cli.main as c; c.main(['list', 'grader', '--json'])",
        ],
        env=folder.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Short answers are right." in child.stdout
    assert "short" not in {r.name for r in plugin_manager().registry.of_kind("grader")}


def test_the_fixture_gives_each_test_its_own(plugin_folder: Any) -> None:
    plugin_folder.add(SOURCE)
    assert "short" in {r.name for r in plugin_manager().registry.of_kind("grader")}


def test_and_the_next_one_an_empty_one(plugin_folder: Any) -> None:
    assert list(plugin_folder.path.iterdir()) == []
    assert "short" not in {r.name for r in plugin_manager().registry.of_kind("grader")}


def test_the_pytest_plugin_costs_nothing_until_used(tmp_path: Path) -> None:
    code = (
        "import sys, pytest\nbefore = set(sys.modules)\n"
        "import proctor.testing.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.split() == [
        "proctor",
        "proctor.testing",
        "proctor.testing.pytest_plugin",
    ]


def test_pytest_finds_the_fixtures_by_itself(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_nothing_is_loaded():\n    assert 'pydantic' not in sys.modules\n"
        "def test_there(plugin_folder, scripted_client):\n    assert plugin_folder.path.is_dir()\n"
    )
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout
    assert "2 passed" in child.stdout
