"""Fixtures that the suites of several distributions share."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from proctor.cli.main import main
from proctor.plugins import active

# these need what `dev.py test --service` and `dev.py test --peers` prepare
collect_ignore = [s for s in ("service", "peers") if f"{s.upper()}_PYTHON" not in os.environ]

SCRIPTED_BACKEND = Path(__file__).parent / "support" / "scripted_backend.py"


@dataclass(frozen=True)
class Printed:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


CommandLine = Callable[..., Printed]


@pytest.fixture
def scripted_backend() -> Path:
    """The single-file plugin that has the backend ``scripted``."""
    return SCRIPTED_BACKEND


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """Runs ``proctor`` in this process, in an empty folder, with the scripted backend."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, with_backend: bool = True) -> Printed:
        out, err = io.StringIO(), io.StringIO()
        active.rediscover()
        plugin = ["--plugin", str(SCRIPTED_BACKEND)] if with_backend else []
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([*plugin, *arguments])
            except SystemExit as stop:
                code = stop.code
        return Printed(int(code or 0), out.getvalue(), err.getvalue())

    with active.using():
        yield run


@pytest.fixture
def opened_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that exists once the scripted backend was asked for its model."""
    marker = tmp_path / "opened"
    monkeypatch.setitem(os.environ, "PROCTOR_TEST_OPENED", str(marker))
    return marker


@pytest.fixture(scope="session")
def smollm2_folder() -> Path:
    """The real model that tests run: SmolLM2-135M-Instruct, as a folder that transformers loads.

    The first session on a machine converts it into the user's cache, in about 15 seconds.
    """
    from proctor_local.model_files import DEFAULT_MODEL, find_model

    return find_model(DEFAULT_MODEL).folder
