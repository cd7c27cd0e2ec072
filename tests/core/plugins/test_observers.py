"""Hooks that watch a run, in a run."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

WATCHING = """
import json, os, pathlib
import proctor

def note(**what):
    with pathlib.Path(os.environ["WATCHED"]).open("a") as file:
        file.write(json.dumps(what) + "\\n")

@proctor.hookimpl
def proctor_run_started(run):
    note(hook="started", status=run.record["status"], folder=run.folder.name)

@proctor.hookimpl
def proctor_sample_finished(record):
    note(hook="sample", example=record["example"], status=record["status"])

@proctor.hookimpl
def proctor_evaluation_finished(result):
    note(hook="evaluation", name=result.name, metrics=dict(result.metrics))

@proctor.hookimpl
def proctor_run_finished(run):
    note(hook="finished", status=run.record["status"])
"""

FAILING = """
import proctor

@proctor.hookimpl
def proctor_run_started(run):
    raise RuntimeError("no tracker")

@proctor.hookimpl
def proctor_sample_finished(record):
    raise AssertionError("called again")
"""

CONFIG = """\
model: {backend: fine_model}
evaluators:
  - {name: capitals, dataset: fine_rows, graders: [fine]}
"""


@pytest.fixture
def watched(fine_folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    fine_folder.add(WATCHING, name="watching", distribution="watching-evals")
    monkeypatch.setenv("WATCHED", str(tmp_path / "watched.jsonl"))
    (tmp_path / "evals.yaml").write_text(CONFIG)
    return lambda: [json.loads(line) for line in (tmp_path / "watched.jsonl").open()]


def test_observers_see_a_run_from_its_start_to_its_end(watched: Any, command_line: Any) -> None:
    printed = command_line("run", "evals.yaml", "--out", "first", with_backend=False)
    assert printed.code == 0, printed.err
    first, *middle, last = watched()
    assert first == {"hook": "started", "status": "running", "folder": "first"}
    assert last == {"hook": "finished", "status": "complete"}
    samples = [note for note in middle if note["hook"] == "sample"]
    assert {note["example"] for note in samples} == {"france", "italy"}
    assert {note["status"] for note in samples} == {"complete"}
    (evaluation,) = [note for note in middle if note["hook"] == "evaluation"]
    assert evaluation["name"] == "capitals"
    assert evaluation["metrics"]["capitals/fine/score"] == 0.5


def test_an_observer_that_raises_costs_the_run_and_the_others_nothing(
    fine_folder: Any, watched: Any, command_line: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fine_folder.add(FAILING, name="failing", distribution="failing-evals")
    with caplog.at_level(logging.WARNING, "proctor"):
        printed = command_line("run", "evals.yaml", with_backend=False)
    assert printed.code == 0, printed.err
    assert [note["hook"] for note in watched()].count("sample") == 2
    (warning,) = [
        record.getMessage() for record in caplog.records if "failing" in record.msg % record.args
    ]
    assert "proctor_run_started raised RuntimeError: no tracker" in warning
