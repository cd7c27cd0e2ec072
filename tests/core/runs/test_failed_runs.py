"""Whole runs that fail: what the folder says, what gets closed, what the exit code is."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import proctor
from proctor.configs.loading import load_config
from proctor.runs.folder import RunFolder
from proctor.runs.offline import run_config
from proctor.runs.report import RunReport
from proctor.runs.run_options import RunOptions
from proctor.sampling.budget import StopSignal
from proctor.scoring.results import EvaluationResult
from proctor.testing import ByteTokenizer, Hang, Reply, ScriptedClient

LOG: list[str] = []


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    LOG.clear()


class Logged(proctor.Component):
    """Says when it is opened and closed, and fails at either when told to."""

    label: str = ""
    fails_to: str = ""

    async def open(self) -> None:
        LOG.append(f"open {self.label}")
        if self.fails_to == "open":
            raise proctor.ConfigError(f"{self.label} can't be opened")

    async def close(self) -> None:
        LOG.append(f"close {self.label}")
        if self.fails_to == "close":
            raise OSError(f"{self.label} can't be closed")


class Rows(Logged, proctor.Dataset):
    """Questions with a number in them."""

    label: str = "dataset"
    n: int = 4

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(id=f"q{number}", input=f"Say <{number}>.", target="yes")


class Is(Logged, proctor.Grader):
    """Correct when the answer is the target."""

    label: str = "grader"

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return sample.text.strip() == example.targets[0]


class Model(Logged, proctor.Backend):
    """A scripted model."""

    label: str = "backend"
    max_in_flight: int | None = None
    hangs: bool = False

    client: ClassVar[ScriptedClient]

    async def open_model(self) -> proctor.OpenedModel:
        if self.fails_to == "open_model":
            raise proctor.BackendError("no such checkpoint", fix="check its path")
        answer = Hang() if self.hangs else Reply("yes", seconds=0.01)
        Model.client = ScriptedClient(lambda prompt, index: answer)
        identity = proctor.ModelIdentity(backend="test", base_model="m", digest="d")
        return proctor.OpenedModel(
            Model.client, identity, ByteTokenizer(), max_in_flight=self.max_in_flight
        )


def graded(name: str = "numbers", **options: Any) -> proctor.GradedEvaluator:
    options = {"dataset": Rows(), "graders": [Is()], "renderer": "role_colon", **options}
    return proctor.GradedEvaluator(name=name, **options)


async def run(folder: Path, *evaluators: Any, model: Model | None = None, **keys: Any) -> RunReport:
    config = load_config({"model": model or Model(), "evaluators": list(evaluators), **keys})
    async with asyncio.timeout(20):
        return await run_config(config, folder / "run")


def record(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "run" / "run.json").read_text())
    return loaded


async def test_a_model_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(proctor.BackendError) as raised:
        await run(tmp_path, graded(), model=Model(fails_to="open_model"))
    assert raised.value.exit_code == 2
    assert record(tmp_path)["status"] == "failed"
    assert record(tmp_path)["error"] == "no such checkpoint; check its path"
    assert record(tmp_path)["finished"]
    assert sorted(LOG[-3:]) == ["close backend", "close dataset", "close grader"]


async def test_an_error_of_the_folder_ends_the_run_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, entry: Any) -> None:
        raise proctor.RunError("no space left on device")

    monkeypatch.setattr("proctor.runs.folder.RunFolder.grade", full)
    with pytest.raises(proctor.RunError):
        await run(tmp_path, graded())
    assert record(tmp_path)["status"] == "failed"
    assert "no space left" in record(tmp_path)["error"]
    assert not (tmp_path / "run" / "results.json").exists()


async def test_a_run_that_is_cancelled_is_interrupted(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hang() -> Any:
        asked.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(run(tmp_path, Plain(hang), graded()))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert record(tmp_path)["status"] == "interrupted"
    assert "error" not in record(tmp_path)
    assert "close backend" in LOG


async def test_what_was_opened_is_closed_also_where_another_fails_to_open(tmp_path: Path) -> None:
    graders = [Is(label="first"), Is(label="second", fails_to="open"), Is(label="third")]
    with pytest.raises(proctor.ConfigError, match="second can't be opened"):
        await run(tmp_path, graded(graders=graders))
    assert LOG[:3] == ["open dataset", "open first", "open second"]
    assert LOG[3:] == ["close second", "close first", "close dataset", "close backend"]


async def test_one_that_fails_to_close_keeps_no_other_from_it_and_hides_no_error(
    tmp_path: Path,
) -> None:
    broken = graded(graders=[Is(label="broken", fails_to="close")])
    with pytest.raises(proctor.BackendError):
        await run(tmp_path, broken, graded("b"), model=Model(fails_to="open_model"))
    assert sorted(entry for entry in LOG if entry.startswith("close")) == [
        *("close backend", "close broken", "close dataset", "close dataset", "close grader"),
    ]


async def test_the_shots_dataset_is_opened_and_closed_too(tmp_path: Path) -> None:
    shots = {"dataset": Rows(label="shots", n=9), "n": 2}
    await run(tmp_path, graded(few_shot=shots))
    assert LOG.count("open shots") == LOG.count("close shots") == 1


async def test_the_evaluators_of_a_run_share_the_clients_cap(tmp_path: Path) -> None:
    """Each kept to the cap by itself, and together they went over it."""
    rows = [graded(name, dataset=Rows(n=12)) for name in "abc"]
    await run(tmp_path, *rows, model=Model(max_in_flight=3))
    assert Model.client.requests == 36
    assert Model.client.most_in_flight == 3


class Plain:
    """An evaluator that does what it is told."""

    def __init__(self, does: Any, name: str = "plain") -> None:
        self.does = does
        self.metric_name = name

    async def __call__(self, client: Any) -> Any:
        return await self.does() if callable(self.does) else self.does


class Full(Plain):
    """One that returns a result of its own."""

    async def evaluate(self, client: Any, context: Any) -> Any:
        return self.does


async def cancelled() -> Any:
    raise asyncio.CancelledError


async def exits() -> Any:
    raise SystemExit(0)


async def raises_a_group() -> Any:
    async with asyncio.TaskGroup():
        raise proctor.ConfigError("the benchmark is not there")


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (cancelled, "cancelled itself"),
        (exits, "called exit(0)"),
        (raises_a_group, "the benchmark is not there"),
        ({}, "returned no metrics"),
    ],
)
async def test_an_evaluator_that_leaves_early_fails_the_run_and_not_the_others(
    tmp_path: Path, does: Any, reason: str
) -> None:
    """One that was cancelled from within was left out without a word, and the exit code was 0."""
    report = await run(tmp_path, Plain(does), graded())
    assert reason in report.errors["plain"]
    assert list(report.results) == ["numbers"]
    assert report.exit_code == 1
    assert record(tmp_path)["status"] == "failed"


async def test_a_number_that_is_none_is_no_success(tmp_path: Path) -> None:
    report = await run(tmp_path, Plain({"accuracy": math.nan, "n": 0}))
    assert report.metrics == {"plain/n": 0.0}
    assert report.results["plain"].withheld == "accuracy is nan"
    assert report.exit_code == 1


async def test_an_evaluator_that_hangs_ends_at_the_runs_deadline(tmp_path: Path) -> None:
    report = await run(tmp_path, Plain(asyncio.Event().wait), graded(), timeout=1.0)
    assert "deadline" in report.errors["plain"]
    assert report.results["numbers"].is_complete


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (EvaluationResult("numbers", {"numbers/score": 1.0}), "'numbers/score'"),
        (EvaluationResult("plain", {}), "returned no metrics"),
    ],
)
async def test_a_result_may_not_overwrite_another_evaluators_metrics(
    tmp_path: Path, result: Any, reason: str
) -> None:
    """Story 6: two tasks overwrote each other's metrics."""
    rows = graded(graders=[Is()], dataset=Rows(n=2))
    report = await run(tmp_path, rows, Full(result), model=Model(hangs=True), request_timeout=0.2)
    assert reason in report.errors["plain"]
    assert "numbers/score" not in report.metrics


async def test_an_evaluator_of_training_clients_is_refused_offline(tmp_path: Path) -> None:
    class Loss(proctor.TrainingClientEvaluator):
        """Needs the training client."""

    with pytest.raises(proctor.ConfigError, match="Loss needs a training client"):
        await run(tmp_path, Loss())
    assert not (tmp_path / "run").exists()


async def test_an_interrupt_while_datasets_are_read_opens_no_model(tmp_path: Path) -> None:
    stop = StopSignal()
    stop.set()
    config = load_config({"model": Model(), "evaluators": [graded()]})
    with pytest.raises(asyncio.CancelledError):
        await run_config(config, tmp_path / "run", RunOptions(stop=stop))
    assert "open dataset" in LOG
    assert "close dataset" in LOG
    assert "open backend" not in LOG
    assert not (tmp_path / "run").exists()


async def test_an_interrupt_ends_retries() -> None:
    stop = StopSignal()

    def script(prompt: str, index: int) -> Any:
        stop.set()
        return proctor.TransientError("busy")

    client = ScriptedClient(script)
    context = proctor.EvaluationContext.for_client(client, stop=stop)
    await graded(dataset=Rows(n=1)).evaluate(client, context)
    assert client.requests == 1


@pytest.mark.parametrize("name", ["samples.jsonl", "grades.jsonl", "results.json"])
def test_a_folder_with_files_of_its_own_is_left_alone(tmp_path: Path, name: str) -> None:
    """A person's own samples.jsonl lost a last line that had no end, and got ours."""
    (tmp_path / name).write_text('{"mine": 1}\n{"mine": 2}')
    with pytest.raises(proctor.ConfigError, match=name):
        RunFolder(tmp_path)
    assert (tmp_path / name).read_text() == '{"mine": 1}\n{"mine": 2}'


async def test_a_mistake_in_a_dataset_says_whose_it_is(tmp_path: Path) -> None:
    with pytest.raises(proctor.DatasetError, match=r"^second: the dataset is empty"):
        await run(tmp_path, graded("first"), graded("second", dataset=Rows(n=0)))


async def test_an_empty_target_among_several_is_in_no_answer(tmp_path: Path) -> None:
    """A function that looks for the target in the answer found it in every answer."""

    def contains(response: str, target: str) -> bool:
        return target in response

    class Several(Rows):
        """Rows with an empty target beside another."""

        def examples(self) -> Iterator[proctor.Example]:
            yield proctor.Example(id="q", input="Say no.", target=["no", " ", ""])

    report = await run(tmp_path, graded(dataset=Several(), graders=[contains]))
    assert report.metrics["numbers/score"] == 0.0
