"""Steps that are cancelled: each run ends as interrupted, with its files closed, and says so."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import proctor
import proctor.runs.run
from proctor.renderers.families.role_colon import RoleColonRenderer
from proctor.testing import Hang, ScriptedClient

RECORDS = {"samples.jsonl", "grades.jsonl"}


@pytest.fixture
def hanging() -> ScriptedClient:
    """A client that never answers."""
    return ScriptedClient(lambda *_: Hang())


async def until(condition: Callable[[], object]) -> None:
    """Waits for something that happens on another thread, or in another task."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


async def asked(client: ScriptedClient) -> None:
    await until(lambda: client.requests)


def status(folder: Path) -> str:
    record = json.loads((folder / "run.json").read_text())
    assert "finished" in record
    return str(record["status"])


async def cancelled(awaited: Any, client: ScriptedClient) -> None:
    """Cancels what awaits an evaluation while its requests hang."""
    task = asyncio.ensure_future(awaited)
    await asked(client)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_step_in_the_foreground(
    hanging: Any, model: Any, numbers: Any, plain: Any, tmp_path: Path, notes: Any, open_files: Any
) -> None:
    evals = proctor.InlineEvaluations([numbers(), plain()], eval_every=1, log_path=tmp_path)
    await cancelled(evals.step(0, sampling_client=hanging), hanging)
    assert open_files() == set()
    assert status(tmp_path / "evaluations" / "step-000000") == "interrupted"
    assert notes("finished") == [
        {"hook": "finished", "folder": "step-000000", "step": 0, "status": "interrupted"}
    ]
    metrics = await evals.step(1, training_client=model)
    assert {"numbers/score", "Plain/accuracy"} <= set(metrics)
    await evals.finish()
    assert status(tmp_path / "evaluations" / "step-000001") == "complete"
    assert [note["step"] for note in notes("finished")] == [0, 1]


async def test_both_halves_of_a_step_have_ended_before_its_files_are_closed(
    hanging: Any, numbers: Any, tmp_path: Path
) -> None:
    """The half that took longer to end wrote into whichever file had got the descriptor."""
    ended: list[bool] = []

    class Slow(proctor.TrainingClientEvaluator):
        """One that tidies up when it is cancelled."""

        async def __call__(self, training_client: Any) -> dict[str, float]:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.3)
                ended.append(folder.joinpath("run.json").read_text().count("interrupted") == 0)
            raise AssertionError

    folder = tmp_path / "evaluations" / "step-000000"
    evals = proctor.InlineEvaluations([Slow(), numbers()], eval_every=1, log_path=tmp_path)
    step = evals.step(0, training_client=object(), sampling_client=hanging)
    await cancelled(step, hanging)
    assert ended == [True]
    assert status(folder) == "interrupted"


async def test_the_requests_of_a_plain_evaluator_end_with_it(
    hanging: Any, model: Any, numbers: Any
) -> None:
    """Those that it had not awaited yet held the slots of the steps after it."""

    class Submits(proctor.SamplingClientEvaluator):
        """Sends all requests, then awaits each, as tinker's documentation has it."""

        async def __call__(self, sampling_client: Any) -> dict[str, float]:
            requests = [sampling_client.compute_logprobs(n) for n in range(3)]
            return {"n": float(sum([len(await request) for request in requests]))}

    hanging.compute_logprobs = lambda prompt: hanging.sample(prompt, 1, None)
    hanging.sample = _hang(hanging)
    config = {"evaluators": [Submits(), numbers()], "concurrency": 2}
    evals = proctor.InlineEvaluations(config, eval_every=1)
    await cancelled(evals.step(0, sampling_client=hanging), hanging)
    async with asyncio.timeout(20):
        assert "numbers/score" in await evals.step(1, training_client=model)
    await evals.finish()


def _hang(client: ScriptedClient) -> Any:
    async def sample(*_: Any, **__: Any) -> Any:
        client.requests += 1
        await asyncio.Event().wait()

    return sample


async def test_a_builder_s_evaluator(
    hanging: Any, model: Any, numbers: Any, tmp_path: Path, notes: Any, open_files: Any
) -> None:
    (builder,) = proctor.evaluator_builders([numbers()], log_path=tmp_path)
    evaluator = builder()
    await cancelled(evaluator(hanging), hanging)
    assert open_files() == set()
    folder = tmp_path / "evaluations" / "numbers"
    assert status(folder / "step-000000") == "interrupted"
    assert [(n["step"], n["status"]) for n in notes("finished")] == [(0, "interrupted")]
    assert "numbers/score" in await evaluator(model.client_of(3))
    assert status(folder / "step-000001") == "complete"


async def crash(evals: Any, client: ScriptedClient, *, waits: bool) -> None:
    """Training that fails while an evaluation runs in the background."""
    async with evals:
        await evals.step(0, sampling_client=client)
        if waits:
            await asked(client)
        raise ZeroDivisionError


def background(evaluators: list[Any], folder: Path) -> Any:
    return proctor.InlineEvaluations(evaluators, eval_every=1, mode="background", log_path=folder)


@pytest.mark.parametrize("waits", [True, False], ids=["it runs", "it has hardly begun"])
async def test_an_error_of_training_ends_the_evaluation_in_the_background(
    waits: bool,
    hanging: Any,
    model: Any,
    numbers: Any,
    plain: Any,
    tmp_path: Path,
    notes: Any,
    open_files: Any,
) -> None:
    with pytest.raises(ZeroDivisionError):
        await crash(background([numbers(), plain()], tmp_path), hanging, waits=waits)
    assert open_files() == set()
    assert status(tmp_path / "evaluations" / "step-000000") == "interrupted"
    assert [(n["step"], n["status"]) for n in notes("finished")] == [(0, "interrupted")]
    again = background([numbers()], tmp_path)
    await again.finish(0, training_client=model)
    assert [step for step, _ in again.arrived()] == [0]
    assert status(tmp_path / "evaluations" / "step-000000-2") == "complete"


async def test_an_evaluation_that_had_no_time_to_begin(
    hanging: Any, numbers: Any, tmp_path: Path, notes: Any, open_files: Any
) -> None:
    evals = background([numbers()], tmp_path)

    async def blocks() -> None:
        time.sleep(0.3)  # noqa: ASYNC251, blocking the thread's loop is what is tested

    evals._thread.submit(blocks())
    with pytest.raises(ZeroDivisionError):
        await crash(evals, hanging, waits=False)
    assert open_files() == set()
    assert status(tmp_path / "evaluations" / "step-000000") == "interrupted"
    assert [(n["step"], n["status"]) for n in notes("finished")] == [(0, "interrupted")]


async def test_observers_are_told_of_an_end_on_one_thread_alone(
    hanging: Any, numbers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training loop's thread closed a run that the other thread was still writing."""
    threads: list[str] = []
    close = proctor.runs.run.Run.close

    def closed(self: Any, error: Any = None) -> None:
        threads.append(threading.current_thread().name)
        close(self, error)

    monkeypatch.setattr(proctor.runs.run.Run, "close", closed)
    with pytest.raises(ZeroDivisionError):
        await crash(background([numbers()], tmp_path), hanging, waits=True)
    assert set(threads) == {"proctor-evaluations"}


async def test_an_end_of_training_that_is_cancelled_ends_the_background_too(
    hanging: Any, numbers: Any, tmp_path: Path, notes: Any, open_files: Any
) -> None:
    evals = background([numbers()], tmp_path)
    await evals.step(0, sampling_client=hanging)
    await cancelled(evals.finish(), hanging)
    assert open_files() == set()
    assert status(tmp_path / "evaluations" / "step-000000") == "interrupted"
    assert [n["status"] for n in notes("finished")] == ["interrupted"]


async def test_a_step_that_waits_for_the_one_in_the_background(
    model: Any, numbers: Any, tmp_path: Path, notes: Any, open_files: Any
) -> None:
    gate = threading.Event()

    class Waits(proctor.Grader):
        """Grades once it may."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return gate.wait(20)

    evals = background([numbers(graders=[Waits()])], tmp_path)
    await evals.step(0, training_client=model)
    task = asyncio.ensure_future(evals.step(1, training_client=model))
    await until(lambda: len(notes("started")) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert status(tmp_path / "evaluations" / "step-000001") == "interrupted"
    gate.set()
    await evals.step(2, training_client=model)
    await evals.finish()
    assert open_files() == set()
    assert [step for step, _ in evals.arrived()] == [0, 2]
    assert {(n["step"], n["status"]) for n in notes("finished")} == {
        (0, "complete"),
        (1, "interrupted"),
        (2, "complete"),
    }


async def test_a_part_that_could_not_be_opened_is_opened_at_the_next_step(
    model: Any, numbers: Any
) -> None:
    """It counted as open from its first attempt on."""

    class Flaky(proctor.Grader):
        """Can't be opened at first."""

        async def open(self) -> None:
            log.append("open")
            if len(log) == 1:
                raise ConnectionError("the hub is away")

        async def close(self) -> None:
            log.append("close")

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return True

    log: list[str] = []
    evals = proctor.InlineEvaluations([numbers(graders=[Flaky()])], eval_every=1)
    assert await evals.step(0, training_client=model) == {"numbers/failed_evaluations": 1.0}
    assert (await evals.step(1, training_client=model))["numbers/score"] == 1.0
    await evals.finish()
    assert log == ["open", "close", "open", "close"]


async def test_a_folder_that_cannot_be_described_gets_no_samples(
    model: Any, numbers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_files: Any
) -> None:
    """On a full disk every evaluator failed, although its numbers need no file."""

    def full(*_: Any) -> None:
        raise proctor.RunError("no space left on device")

    monkeypatch.setattr("proctor.runs.folder.write_json", full)
    monkeypatch.setattr("proctor.runs.folder.RunFolder.sample", full)
    evals = proctor.InlineEvaluations([numbers()], eval_every=1, log_path=tmp_path)
    assert (await evals.step(0, training_client=model))["numbers/score"] == 0.0
    assert open_files() == set()
    await evals.finish()


async def test_a_step_s_record_names_its_renderers(
    model: Any, numbers: Any, plain: Any, tmp_path: Path
) -> None:
    evals = proctor.InlineEvaluations([numbers(), plain()], eval_every=1, log_path=tmp_path)
    await evals.finish(0, training_client=model)
    record = proctor.FinishedRun(tmp_path / "evaluations" / "step-000000").record
    assert record["renderers"] == {"numbers": f"role_colon:{RoleColonRenderer.version}"}
