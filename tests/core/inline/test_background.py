"""Evaluations beside training: on a thread of their own, each with its own step."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.errors import RunError


@pytest.fixture
def slow(new_model: Any) -> Any:
    """A model whose answers take a while."""
    return new_model(seconds=0.05)


async def test_every_evaluated_step_arrives_with_its_own_step(slow: Any, numbers: Any) -> None:
    async with proctor.InlineEvaluations([numbers()], eval_every=2, mode="background") as evals:
        returned = []
        for step in range(6):
            returned.append(await evals.step(step, training_client=slow))
            await slow.update()
        last = await evals.finish(6, training_client=slow)
        results = {step: metrics async for step, metrics in evals.results()}
    assert returned == [{}] * 6
    assert {step: m["numbers/score"] for step, m in results.items()} == {
        0: 0.0,
        2: 0.2,
        4: 0.4,
        6: 0.6,
    }
    assert last == results[6]


async def test_training_goes_on_while_an_evaluation_runs(slow: Any, numbers: Any) -> None:
    """Ten updates happen during the evaluation of step 0, and change nothing of it."""
    gate = threading.Event()

    class Waits(proctor.Grader):
        """Grades once training is ten steps further."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            assert gate.wait(60)
            return example.targets[0] in sample.text

    evals = proctor.InlineEvaluations(
        [numbers(graders=[Waits()])], eval_every=100, mode="background"
    )
    for step in range(10):
        await evals.step(step, training_client=slow)
        await slow.update()
    assert evals.arrived() == []
    gate.set()
    await evals.finish(10, training_client=slow)
    assert [(s, m["numbers/score"]) for s, m in evals.arrived()] == [(0, 0.0), (10, 1.0)]


async def test_a_training_loop_that_blocks_its_thread_starves_nothing(
    slow: Any, numbers: Any
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=1, mode="background")
    await evals.step(0, training_client=slow)
    arrived: list[Any] = []
    ends = time.monotonic() + 60
    while not arrived and time.monotonic() < ends:
        time.sleep(0.01)  # noqa: ASYNC251, blocking the loop is what is tested
        arrived = evals.arrived()
    assert [step for step, _ in arrived] == [0]
    await evals.finish()


async def test_waiting_for_the_one_that_is_running(slow: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=1, mode="background")
    for step in range(4):
        await evals.step(step, training_client=slow)
        await slow.update()
    await evals.finish()
    assert [step for step, _ in evals.arrived()] == [0, 1, 2, 3]
    assert max(client.most_in_flight for client in slow.snapshots) <= 10


async def test_skipping_while_one_is_running(
    slow: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()

    class Waits(proctor.Grader):
        """Grades once it may."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return gate.wait(60)

    evals = proctor.InlineEvaluations(
        [numbers(graders=[Waits()])], eval_every=1, mode="background", when_busy="skip"
    )
    for step in range(3):
        await evals.step(step, training_client=slow)
    assert len(slow.snapshots) == 1
    assert "step 1 is not evaluated" in caplog.text
    gate.set()
    # the last step is never skipped
    await evals.finish(3, training_client=slow)
    assert [step for step, _ in evals.arrived()] == [0, 3]


async def test_what_needs_the_training_client_is_awaited_and_says_so(
    slow: Any, numbers: Any, loss: Any, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers(), loss], eval_every=1, mode="background")
    assert "Loss needs the training client: training waits for it" in caplog.text
    assert await evals.step(0, training_client=slow) == {"Loss/loss": 10.0}
    await evals.finish()
    ((step, metrics),) = evals.arrived()
    assert step == 0
    assert {"Loss/loss", "numbers/score"} <= set(metrics)


async def test_results_can_be_awaited_beside_training(slow: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers(n=2)], eval_every=1, mode="background")
    seen: list[int] = []

    async def log() -> None:
        async for step, _ in evals.results():
            seen.append(step)

    logging = asyncio.create_task(log())
    for step in range(3):
        await evals.step(step, training_client=slow)
    await evals.finish()
    await asyncio.wait_for(logging, 60)
    assert seen == [0, 1, 2]


async def test_foreground_steps_are_in_the_results_too(model: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers(n=2)], eval_every=1)
    returned = await evals.step(0, training_client=model)
    await evals.finish()
    assert [result async for result in evals.results()] == [(0, returned)]


async def test_a_failure_in_the_background_is_counted_or_raised(slow: Any) -> None:
    class Broken(proctor.SamplingClientEvaluator):
        """An evaluator that raises."""

        async def __call__(self, sampling_client: Any) -> dict[str, float]:
            raise ZeroDivisionError("no rows")

    evals = proctor.InlineEvaluations([Broken()], eval_every=1, mode="background")
    await evals.step(0, training_client=slow)
    await evals.finish()
    assert evals.arrived() == [(0, {"Broken/failed_evaluations": 1.0})]
    evals = proctor.InlineEvaluations([Broken()], eval_every=1, mode="background", on_error="raise")
    await evals.step(0, training_client=slow)
    with pytest.raises(RunError, match="Broken has no result at step 0"):
        await evals.finish()


async def test_the_thread_ends_with_the_evaluations(slow: Any, numbers: Any) -> None:
    def threads() -> list[str]:
        return [t.name for t in threading.enumerate() if t.name == "proctor-evaluations"]

    before = len(threads())
    evals = proctor.InlineEvaluations([numbers()], eval_every=1, mode="background")
    await evals.step(0, training_client=slow)
    assert len(threads()) == before + 1
    await evals.finish()
    assert len(threads()) == before

    async def crash() -> None:
        async with proctor.InlineEvaluations([numbers()], eval_every=1, mode="background") as evals:
            await evals.step(0, training_client=slow)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()
    assert len(threads()) == before


async def test_a_step_in_the_background_is_a_run_on_disk(
    slow: Any, numbers: Any, loss: Any, tmp_path: Path
) -> None:
    evals = proctor.InlineEvaluations(
        [numbers(), loss], eval_every=1, mode="background", log_path=tmp_path
    )
    await evals.finish(0, training_client=slow)
    ((_, metrics),) = evals.arrived()
    results = proctor.FinishedRun(tmp_path / "evaluations" / "step-000000").results()
    assert results is not None
    assert results["metrics"] == metrics


async def test_a_future_of_the_training_loop_s_own(slow: Any, numbers: Any) -> None:
    """What belongs to the loop of training is awaited there, not on the thread."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_result(slow.client_of(4))
    evals = proctor.InlineEvaluations([numbers()], eval_every=1, mode="background")
    await evals.step(0, sampling_client=future)
    await evals.finish()
    ((_, metrics),) = evals.arrived()
    assert metrics["numbers/score"] == 0.4
