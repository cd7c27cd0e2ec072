"""What breaks in the middle: a client, a grader, a disk, an evaluator. Nothing hangs or is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

import proctor
from proctor.sampling.budget import RequestBudget
from proctor.testing import ScriptedClient


class Numbers(proctor.Dataset):
    """Questions with a number in them."""

    n: int = 10

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(id=f"q{number}", input=f"Say <{number}>.", target=f"<{number}>")


class Contains(proctor.Grader):
    """Correct when the answer holds the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return example.targets[0] in sample.text


def evaluator(graders: list[Any], n: int = 10, **options: Any) -> proctor.GradedEvaluator:
    return proctor.GradedEvaluator(
        name="numbers", dataset=Numbers(n=n), graders=graders, renderer="role_colon", **options
    )


async def evaluated(made: proctor.GradedEvaluator, client: Any = None, **settings: Any) -> Any:
    client = client or ScriptedClient(lambda prompt, index: "<3>")
    context = proctor.EvaluationContext.for_client(client, request_timeout=5.0, **settings)
    async with asyncio.timeout(20):
        return await made.evaluate(client, context)


class CancellingClient(ScriptedClient):
    """Cancels a request by itself, as a client whose connection pool was shut does."""

    async def sample(self, prompt: Any, num_samples: int, sampling_params: Any, **_: Any) -> Any:
        if "<3>" in self.tokenizer.decode(prompt.to_ints()):
            raise asyncio.CancelledError
        return await super().sample(prompt, num_samples, sampling_params)


async def test_a_client_that_cancels_a_request_costs_that_request_only() -> None:
    """The worker that waited for it ended without a word, and with the last worker the run hung."""
    client = CancellingClient(lambda prompt, index: "<3>")
    result = await evaluated(evaluator([Contains()]), client, budget=RequestBudget(1))
    counts = result.graders[0].estimate.counts
    assert (counts[proctor.Outcome.FAILED], counts[proctor.Outcome.GRADED]) == (1, 9)
    assert result.graders[0].estimate.unrecorded == 0


class CancelsAlone(Contains):
    """An asynchronous grader whose own call is cancelled."""

    async def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:  # type: ignore[override]
        if example.id == "q3":
            raise asyncio.CancelledError
        return True


class CancelsBatch(proctor.Grader):
    """An asynchronous batched grader whose own call is cancelled."""

    async def grade_batch(self, pairs: Any) -> list[bool]:
        if any(example.id == "q3" for example, _ in pairs):
            raise asyncio.CancelledError
        return [True] * len(pairs)


class Exits(Contains):
    """A grader that calls ``exit``, as one around a script's ``main`` does."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        if example.id == "q3":
            raise SystemExit(0)
        return True


class ExitsInBatch(proctor.Grader):
    """A batched grader that calls ``exit``."""

    def grade_batch(self, pairs: Any) -> list[bool]:
        if any(example.id == "q3" for example, _ in pairs):
            raise SystemExit(0)
        return [True] * len(pairs)


class TimesOutByItself(proctor.Grader):
    """A batched grader whose own request for one row times out at once."""

    def grade_batch(self, pairs: Any) -> list[bool]:
        if any(example.id == "q3" for example, _ in pairs):
            raise TimeoutError("read timed out")
        return [True] * len(pairs)


@pytest.mark.parametrize(
    "grader", [CancelsAlone, CancelsBatch, Exits, ExitsInBatch, TimesOutByItself]
)
async def test_a_grader_that_leaves_by_another_door_costs_its_own_row_only(grader: Any) -> None:
    records = Records()
    result = await evaluated(evaluator([grader()]), sink=records, budget=RequestBudget(4))
    assert {record["outcome"] for record in records.grades} == {"graded", "ungraded"}
    bad = [record for record in records.grades if record["outcome"] == "ungraded"]
    assert [records.example_of[record["sample"]] for record in bad] == ["q3"]
    assert "no verdict within" not in bad[0]["reason"]
    assert result.graders[0].estimate.score == 1.0


async def test_a_batch_of_one_is_tried_again_after_an_infrastructure_error() -> None:
    calls = 0

    class Busy(proctor.Grader):
        """Busy at its first call."""

        batch_size: ClassVar[int] = 1

        async def grade_batch(self, pairs: Any) -> list[bool]:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise proctor.TransientError("busy")
            return [True]

    result = await evaluated(evaluator([Busy()], n=1))
    assert result.graders[0].estimate.score == 1.0


async def test_a_synchronous_batch_may_return_an_awaitable() -> None:
    class Wrapped(proctor.Grader):
        """What a decorator makes of a coroutine function: a function that returns a coroutine."""

        def grade_batch(self, pairs: Any) -> Any:
            async def verdicts() -> list[bool]:
                return [True] * len(pairs)

            return verdicts()

    result = await evaluated(evaluator([Wrapped()]))
    assert result.graders[0].estimate.score == 1.0


async def test_an_extracted_answer_need_not_be_text() -> None:
    class Counts(Contains):
        """Reads a number off the answer."""

        def extract_answer(self, example: proctor.Example, sample: proctor.Sample) -> Any:
            return 3.0

    result = await evaluated(evaluator([Counts()], n=2, num_samples=3))
    assert result.graders[0].estimate.maj_at_k


class Records:
    """Keeps what a run would write."""

    def __init__(self) -> None:
        self.grades: list[Mapping[str, Any]] = []
        self.example_of: dict[str, str] = {}

    def sample(self, record: Mapping[str, Any]) -> None:
        self.example_of[record["key"]] = record["example"]

    def grade(self, record: Mapping[str, Any]) -> None:
        self.grades.append(record)


class FullDisk(Records):
    """Takes a few records, then none."""

    def __init__(self, room: int, kind: str) -> None:
        super().__init__()
        self.room = room
        self.kind = kind
        self.refused = 0

    def sample(self, record: Mapping[str, Any]) -> None:
        self._take("sample")

    def grade(self, record: Mapping[str, Any]) -> None:
        self._take("grade")

    def _take(self, kind: str) -> None:
        if kind == self.kind:
            self.room -= 1
            if self.room < 0:
                self.refused += 1
                raise proctor.RunError("no space left on device")


class Slowly(Contains):
    """An asynchronous grader with many calls under way at once."""

    async def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:  # type: ignore[override]
        await asyncio.sleep(0.01 * int(example.id[1:]) % 0.05)
        return True


@pytest.mark.parametrize("kind", ["sample", "grade"])
async def test_a_full_disk_ends_an_evaluation_and_leaves_nothing_running(kind: str) -> None:
    """Grading calls that were under way wrote into a folder that had been closed."""
    before = asyncio.all_tasks()
    sink = FullDisk(5, kind)
    with pytest.raises(proctor.RunError, match="no space left"):
        await evaluated(evaluator([Slowly()], n=500), sink=sink, budget=RequestBudget(4))
    assert asyncio.all_tasks() <= before
    refused = sink.refused
    await asyncio.sleep(0.2)
    assert sink.refused == refused
