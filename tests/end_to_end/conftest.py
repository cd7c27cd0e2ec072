"""An environment of its own, with nothing in it but Proctor from a wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PERSONAL = re.compile(
    r"(PROCTOR|PYTEST)_.*|PYTHONPATH|PYTHONHOME|PIP_(USER|TARGET|PREFIX)|VIRTUAL_ENV|COLUMNS"
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the wheels that were built for it."""

    folder: Path
    wheels: Path

    @property
    def variables(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not PERSONAL.fullmatch(k)}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return kept | {"PATH": path, "VIRTUAL_ENV": str(self.folder), "COLUMNS": "200"}

    def run(self, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs a command of the environment, such as ``proctor`` or ``python``."""
        command = [str(self.folder / "bin" / words[0]), *map(str, words[1:])]
        return subprocess.run(
            command,
            cwd=cwd,
            env=self.variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def pip(self, *words: str | Path, cwd: Path | None = None) -> str:
        """Runs pip for the environment; it has none of its own."""
        python = self.folder / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
        return succeed([*pip, *words], cwd or self.folder, self.variables)

    def install(self, *what: str | Path, cwd: Path | None = None) -> None:
        options = ("--quiet", "--no-compile", "-c", ROOT / "requirements/constraints.txt")
        self.pip("install", *options, *what, cwd=cwd)

    def wheel(self, name: str) -> Path:
        (wheel,) = self.wheels.glob(f"{name}-*.whl")
        return wheel


def succeed(command: list[str | Path], cwd: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def bare_environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with ``proctor`` from a wheel and what it requires, and no plugin.

    A test that installs something there uninstalls it again.
    """
    folder = tmp_path_factory.mktemp("bare")
    environment = Environment(folder / "venv", folder / "wheels")
    sources = [ROOT / "core", ROOT / "examples" / "plugin"]
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w"]
    succeed([*build, environment.wheels, *sources], folder, environment.variables)
    make = [sys.executable, "-m", "venv", "--without-pip", environment.folder]
    succeed(make, folder, environment.variables)
    environment.install(environment.wheel("proctor"))
    return environment


REAL_SECONDS = 900
"""A real model on a busy machine takes minutes; no test of it is about speed."""


MINUTES = ("test_readme_tour.py", "test_memory.py", "test_inspect_tasks.py")
"""Files that take minutes. They come first, or one core would end the suite alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(REAL_SECONDS))

    def place(item: pytest.Item) -> tuple[bool, bool]:
        return item.path.name not in MINUTES, here not in item.path.parents

    items.sort(key=place)
