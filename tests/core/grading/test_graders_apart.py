"""What a grader does to what it gets changes nothing that another one, or the record, sees."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.configs.loading import load_config
from proctor.plugins import active
from proctor.plugins.manager import PluginManager
from proctor.runs.offline import run_config
from proctor.testing import ByteTokenizer, ScriptedClient

Pair = tuple[proctor.Example, proctor.Sample]
LOCK = threading.Lock()


def meddle(example: proctor.Example, sample: proctor.Sample) -> bool:
    """Changes everything in its reach."""
    sample.messages[-1]["content"] = example.targets[0]
    sample.messages[0]["content"] = "changed"
    sample.messages.append(proctor.Message(role="assistant", content=example.targets[0]))
    sample.calls[0].tokens.clear()
    sample.calls.clear()
    example.metadata["answers"].append("no idea")  # type: ignore[index]
    example.metadata["level"] = "changed"  # type: ignore[index]
    assert isinstance(example.target, list)
    example.target.append("no idea")
    assert isinstance(example.input, list)
    example.input[0]["content"] = "changed"
    return True


class Meddles(proctor.Grader):
    """One by one."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return meddle(example, sample)


class MeddlesAsync(proctor.Grader):
    """One by one, on the event loop."""

    async def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return meddle(example, sample)


class MeddlesWithBatches(proctor.Grader):
    """Many at once."""

    def grade_batch(self, pairs: Sequence[Pair]) -> list[bool]:
        verdicts = [meddle(*pair) for pair in pairs]
        assert isinstance(pairs, list)
        pairs.clear()
        return verdicts


class MeddlesWithBatchesAsync(proctor.Grader):
    """Many at once, on the event loop."""

    async def grade_batch(self, pairs: Sequence[Pair]) -> list[bool]:
        return [meddle(*pair) for pair in pairs]


class MeddlesWhileReading(proctor.Grader):
    """When it is asked for the answer."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return True

    def extract_answer(self, example: proctor.Example, sample: proctor.Sample) -> str:
        return str(meddle(example, sample))


class Contains(proctor.Grader):
    """Correct when the answer holds a target; it looks at whatever the others may have changed."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        assert example.metadata["level"] == "easy"
        assert len(sample.calls[0].tokens) > 0
        texts = [*example.targets, *example.metadata["answers"]]
        return any(text in sample.text for text in texts) or sample.messages[0]["content"] != "Q?"


class Rows(proctor.Dataset):
    """Two rows that stay in memory from one run to the next."""

    _rows: list[proctor.Example] = []  # noqa: RUF012, pydantic copies it

    def examples(self) -> Iterator[proctor.Example]:
        if not self._rows:
            self._rows = [
                proctor.Example(
                    id=f"q{n}",
                    input=[proctor.Message(role="user", content="Q?")],
                    target=["Rome"],
                    metadata={"level": "easy", "answers": ["Roma"], "lock": LOCK},
                )
                for n in range(2)
            ]
        yield from self._rows


@pytest.mark.parametrize(
    "kind",
    [Meddles, MeddlesAsync, MeddlesWithBatches, MeddlesWithBatchesAsync, MeddlesWhileReading],
)
async def test_a_grader_that_writes_into_what_it_gets(kind: type[proctor.Grader]) -> None:
    evaluator = proctor.GradedEvaluator(
        dataset=Rows(),
        graders=[kind(), Contains(), kind()],
        renderer="role_colon",
        num_samples=2,
        sampling=proctor.SamplingOptions(temperature=1.0),
    )
    for _ in range(2):
        metrics = await evaluator(ScriptedClient(lambda *_: "no idea"))
        assert metrics["graded/Contains/coverage"] == 1.0
        assert metrics["graded/Contains/score"] == 0.0
        assert metrics[f"graded/{kind.__name__}/score"] == 1.0


OBSERVER = """
import proctor

@proctor.hookimpl
def proctor_sample_finished(record, run):
    assert record["status"] == "complete" and run.record["status"] == "running"
    record["status"] = "failed"
    record["messages"][-1]["content"] = "Rome"
    record["metadata"]["answers"].append("no idea")
    record["calls"][0]["tokens"].clear()

@proctor.hookimpl
def proctor_evaluation_finished(result, run):
    assert result.metrics["graded/Contains/score"] == 0.0
    result.metrics["graded/Contains/score"] = 1.0

@proctor.hookimpl
def proctor_run_finished(run):
    assert run.record["status"] == "complete"
    run.record["status"] = "changed"
"""


@pytest.fixture
def observers(tmp_path: Path) -> Iterator[list[str]]:
    """Two observers that change what they get, each after having looked whether another did."""
    names = ["first", "second"]
    for name in names:
        (tmp_path / f"{name}.py").write_text(OBSERVER)
    files = [tmp_path / f"{name}.py" for name in names]
    with active.using(PluginManager(only=(), files=files)):
        yield names


async def test_an_observer_that_writes_into_what_it_gets(
    observers: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Scripted(proctor.Backend):
        """A model that knows nothing."""

        async def open_model(self) -> proctor.OpenedModel:
            client = ScriptedClient(lambda *_: "no idea")
            return proctor.OpenedModel(
                client, proctor.ModelIdentity("scripted", "m", digest="1"), ByteTokenizer()
            )

    class NoLock(proctor.Dataset):
        """Rows that a file can hold."""

        def examples(self) -> Iterator[proctor.Example]:
            for row in Rows().examples():
                yield proctor.Example(
                    row.id, row.input, row.target, metadata={"level": "easy", "answers": ["Roma"]}
                )

    config = load_config(
        {
            "evaluators": [
                proctor.GradedEvaluator(
                    dataset=NoLock(), graders=[Meddles(), Contains()], renderer="role_colon"
                )
            ]
        }
    )
    config.backend = Scripted()
    folder = tmp_path / "run"
    report = await run_config(config, folder=folder)
    assert "is not called again" not in caplog.text
    metrics: Any = report.results["graded"].metrics
    assert metrics["graded/Contains/score"] == 0.0
    lines = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    assert {line["status"] for line in lines} == {"complete"}
    assert [line["messages"][-1]["content"].strip() for line in lines] == ["no idea"] * 2
    assert [line["messages"][0]["content"] for line in lines] == ["Q?"] * 2
    assert [line["target"] for line in lines] == [["Rome"]] * 2
    assert [line["metadata"]["answers"] for line in lines] == [["Roma"]] * 2
    assert all(line["calls"][0]["tokens"] for line in lines)
    assert json.loads((folder / "run.json").read_text())["status"] == "complete"
