"""Hooks that watch a run, in a run."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.configs.loading import load_config
from proctor.runs.offline import run_config
from proctor.testing import ByteTokenizer, ScriptedClient

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


async def test_two_runs_of_one_process_are_told_apart_by_their_run(
    tmp_path: Path, notes: Any
) -> None:
    """A tracker that follows both mixed up their samples."""

    async def loop(name: str, steps: list[int]) -> None:
        rows = fine_rows(name, 3)
        evals = proctor.InlineEvaluations([rows], eval_every=1, log_path=tmp_path / name)
        for step in steps:
            await evals.step(step, sampling_client=ScriptedClient(lambda *_: "yes"))
        await evals.finish()

    config = load_config({"model": FineModel(), "evaluators": [fine_rows("offline", 2)]})
    await asyncio.gather(
        loop("a", [1, 2]), loop("b", [7]), run_config(config, tmp_path / "offline-run")
    )
    runs = {("step-000001", 1): "a", ("step-000002", 2): "a", ("step-000007", 7): "b"}
    runs["offline-run", None] = "offline"
    for hook in ("started", "evaluation", "finished"):
        assert {(n["folder"], n["step"]) for n in notes(hook)} == set(runs)
        assert len(notes(hook)) == 4
    samples = [((n["folder"], n["step"]), n["evaluator"]) for n in notes("sample")]
    assert len(samples) == 3 + 3 + 3 + 2
    assert all(runs[run] == evaluator for run, evaluator in samples)


async def test_a_run_that_fails_on_a_full_disk_is_finished_for_its_observers(
    tmp_path: Path, notes: Any, open_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise proctor.RunError("no space left on device")

    monkeypatch.setattr("proctor.runs.folder.RunFolder.grade", full)
    config = load_config({"model": FineModel(), "evaluators": [fine_rows("fine", 2)]})
    with pytest.raises(proctor.RunError):
        await run_config(config, tmp_path / "run")
    assert [n["status"] for n in notes("finished")] == ["failed"]
    assert open_files() == set()


async def test_an_inline_run_whose_results_cannot_be_written_is_finished_too(
    tmp_path: Path, notes: Any, open_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise proctor.RunError("no space left on device")

    monkeypatch.setattr("proctor.runs.folder.RunFolder.results", full)
    evals = proctor.InlineEvaluations([fine_rows("fine", 2)], eval_every=1, log_path=tmp_path)
    client = ScriptedClient(lambda *_: "yes")
    assert (await evals.finish(0, sampling_client=client))["fine/score"] == 1.0
    assert [n["status"] for n in notes("finished")] == ["failed"]
    assert open_files() == set()


class FineRows(proctor.Dataset):
    """Some rows."""

    n: int

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(id=f"q{number}", input=f"Say {number}.", target="yes")


class Says(proctor.Grader):
    """Right where the answer is the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return sample.text.strip() == example.targets[0]


class FineModel(proctor.Backend):
    """A model that says yes."""

    async def open_model(self) -> proctor.OpenedModel:
        identity = proctor.ModelIdentity(backend="test", base_model="m", digest="d")
        return proctor.OpenedModel(ScriptedClient(lambda *_: "yes"), identity, ByteTokenizer())


def fine_rows(name: str, n: int) -> proctor.GradedEvaluator:
    return proctor.GradedEvaluator(
        name=name, dataset=FineRows(n=n), graders=[Says()], renderer="role_colon"
    )
