"""Code of others that leaves by another door than an exception: no run ends without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """\
import asyncio
import os
import sys

import proctor
from proctor.testing import ScriptedClient

KIND, PLACE = os.environ["LEAVES"].split("@")


class Odd(BaseException):
    pass


def leave(place):
    if place == PLACE:
        if KIND == "exit":
            sys.exit(0)
        raise {"interrupt": KeyboardInterrupt, "odd": Odd}[KIND]()


class Rows(proctor.Dataset):
    streams: bool = False

    @property
    def is_cheap_to_read(self):
        return not self.streams

    async def open(self):
        leave("Dataset.open")

    def examples(self):
        leave("examples")
        for n in range(3):
            yield proctor.Example(id=str(n), input="Q", target="1")
        leave("examples' end")

    async def close(self):
        leave("Dataset.close")


class Streamed(Rows):
    streams: bool = True

    def examples(self):
        yield proctor.Example(id="0", input="Q", target="1")
        leave("a stream")


class Client(ScriptedClient):
    def sample(self, *args, **kwargs):
        leave("sample")
        return super().sample(*args, **kwargs)

    async def _respond(self, *args):
        leave("sample's coroutine")
        if PLACE == "a task":
            await asyncio.ensure_future(self.task())
        return await super()._respond(*args)

    async def task(self):
        leave("a task")


class Model(proctor.Backend):
    async def open(self):
        leave("Backend.open")

    async def open_model(self):
        leave("open_model")
        client = Client(lambda *_: "1")
        identity = proctor.ModelIdentity("m", "m", digest="d")
        return proctor.OpenedModel(client, identity, client.tokenizer)

    async def close(self):
        leave("Backend.close")


class Grades(proctor.Grader):
    async def open(self):
        leave("Grader.open")

    def grade(self, example, sample) -> bool:
        leave("grade")
        return True

    def extract_answer(self, example, sample):
        leave("extract_answer")
        return "1"

    async def close(self):
        leave("Grader.close")


class Plain(proctor.SamplingClientEvaluator):
    async def __call__(self, client):
        leave("an evaluator")
        return {"x": 1.0}


@proctor.hookimpl
def proctor_register(registry):
    registry.dataset("rows", Rows)
    registry.dataset("streamed", Streamed)
    registry.backend("leaving", Model)
    registry.grader("grades", Grades)
    registry.evaluator("plain", Plain)


@proctor.hookimpl
def proctor_run_started(run):
    leave("run_started")


@proctor.hookimpl
def proctor_sample_finished(record, run):
    leave("sample_finished")


@proctor.hookimpl
def proctor_run_finished(run):
    leave("run_finished")
"""
CONFIG = """\
model: {backend: leaving}
plugins: [./leaving.py]
renderer: role_colon
evaluators:
  - {name: rows, dataset: rows, graders: [grades]}
  - {name: stream, dataset: streamed, graders: [grades]}
  - {name: other, type: plain}
"""
ENDS = ("Dataset.open", "examples", "examples' end", "Backend.open", "open_model", "Grader.open")
"""Before anything was asked: the run can't begin."""
FAILS = ("a stream", "sample", "sample's coroutine", "a task", "an evaluator", "grade")
"""One evaluator, or one answer, has no result: the others do."""
OBSERVES = ("run_started", "sample_finished", "run_finished")
CLOSES = ("Dataset.close", "Grader.close", "Backend.close")
KINDS = ("exit", "interrupt", "odd")


@pytest.fixture
def run_with(command_line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the config with a plugin that leaves somewhere."""
    (tmp_path / "leaving.py").write_text(PLUGIN)
    (tmp_path / "evals.yaml").write_text(CONFIG)

    def run(kind: str, place: str) -> Any:
        monkeypatch.setenv("LEAVES", f"{kind}@{place}")
        return command_line("run", "evals.yaml", "--out", "run", with_backend=False)

    return run


def test_where_nothing_leaves_all_is_well(run_with: Any) -> None:
    printed = run_with("exit", "nowhere")
    assert printed.code == 0, printed.err


@pytest.mark.parametrize("place", [*ENDS, *FAILS, *CLOSES])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_an_error_that_says_what_was_done(
    kind: str, place: str, run_with: Any, tmp_path: Path
) -> None:
    """``sys.exit(0)`` ended the run with exit code 0 and no score."""
    printed = run_with(kind, place)
    said = {
        "exit": "called exit(0)",
        "interrupt": "raised KeyboardInterrupt",
        "odd": "raised Odd",
    }[kind]
    assert printed.code == 1, (printed.out, printed.err)
    kept = tmp_path / "run"
    files = [kept / name for name in ("samples.jsonl", "grades.jsonl", "run.json", "results.json")]
    told = printed.out + printed.err + "".join(f.read_text() for f in files if f.exists())
    assert said in told
    assert "Traceback" not in printed.out + printed.err
    if place in FAILS:
        results = json.loads((kept / "results.json").read_text())
        assert results["status"] == "failed"
        if place != "an evaluator":
            assert results["metrics"]["other/x"] == 1.0
    elif place not in CLOSES and (kept / "run.json").exists():
        assert json.loads((kept / "run.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("place", OBSERVES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_observer_costs_no_run(
    kind: str, place: str, run_with: Any, caplog: pytest.LogCaptureFixture
) -> None:
    printed = run_with(kind, place)
    assert printed.code == 0, (printed.out, printed.err)
    assert f"proctor_{place} raised LeftEarly: it " in caplog.text
