"""Terminals that lack a character, are closed, or go away: the scores are there all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """\
model: {backend: scripted, otherwise: "東京 is <1> \u2603"}
evaluators:
  - name: numbers-☃
    dataset: {type: inline, rows: [{id: "é", input: "Q 東京", target: "<1>"}]}
    graders: [substring]
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("command", ["run", "show", "json"])
def test_one_that_lacks_a_character(
    encoding: str, command: str, tmp_path: Path, scripted_backend: Path
) -> None:
    """It ended the run without its score."""
    (tmp_path / "evals.yaml").write_text(CONFIG.replace("numbers-☃", "numbers"), encoding="utf-8")
    ran = ["run", "evals.yaml", "--out", "run"]
    words = {"run": ran, "json": [*ran, "--json"], "show": ["show", "run"]}[command]
    if command == "show":
        assert proctor(tmp_path, scripted_backend, ran, "utf-8").returncode == 0
    done = proctor(tmp_path, scripted_backend, words, encoding)
    assert done.returncode == 0, done.stderr
    assert b"Error" not in done.stderr
    assert b"1.0" in done.stdout
    if command == "json":
        assert json.loads(done.stdout.decode(encoding))["metrics"]["numbers/substring/score"] == 1.0


def proctor(
    folder: Path, plugin: Path, words: list[str], encoding: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "proctor", "--plugin", str(plugin), *words],
        cwd=folder,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "2>/dev/full", ">/dev/full"])
def test_one_that_is_closed_or_full(closed: str, tmp_path: Path, scripted_backend: Path) -> None:
    """It exited with 1 without a word."""
    (tmp_path / "evals.yaml").write_text(CONFIG.replace("numbers-☃", "numbers"), encoding="utf-8")
    command = f'"{sys.executable}" -m proctor --plugin "{scripted_backend}"'
    # a shell closes the streams
    done = subprocess.run(
        ["sh", "-c", f"{command} run evals.yaml --out run {closed}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["status"] == "complete"
    assert results["metrics"]["numbers/substring/score"] == 1.0
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["status"] == "complete"
    assert b"Traceback" not in done.stdout + done.stderr
    if "full" not in closed:
        assert done.returncode == 0
