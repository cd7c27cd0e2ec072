"""Which steps are due where a loop's steps are no multiples, or an evaluation came to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

import proctor
from proctor.configs.config import ConfiguredEvaluator, InlineOptions
from proctor.inline.schedule import Schedule
from proctor.testing import Hang, ScriptedClient


def evaluated(steps: Iterable[int], every: int = 10) -> list[int]:
    """The steps at which one evaluator is due, each evaluated as it comes."""
    entry = ConfiguredEvaluator("a", object())
    schedule = Schedule([entry], InlineOptions(eval_every=every))
    found = []
    for step in steps:
        if schedule.due(step):
            schedule.mark([entry], step)
            found.append(step)
    return found


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ([3, 13, 23], [3, 13, 23]),
        (range(0, 64, 8), [0, 16, 24, 32, 40, 56]),
        (range(7, 25), [7, 10, 20]),
        ([0, 9, 11, 19, 21], [0, 11, 21]),
        ([1, 100, 101, 109, 110], [1, 100, 110]),
        ([5, 5, 5, 15, 15], [5, 15]),
        ([15, 25, 35], [15, 25, 35]),
        # a training that goes back to its checkpoint of step 20
        ([0, 10, 20, 29, 20, 21, 30], [0, 10, 20, 30]),
        ([0, 10, 20, 30, 20, 21, 30], [0, 10, 20, 30, 20, 30]),
        ([23, 20, 21], [23, 20]),
    ],
)
def test_a_multiple_that_is_passed_is_due_like_one_that_is_met(
    steps: Iterable[int], due: list[int]
) -> None:
    assert evaluated(steps) == due


async def test_a_loop_whose_steps_are_no_multiples(model: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=10)
    for step in (3, 13, 23):
        assert evals.is_due(step)
        assert "numbers/score" in await evals.step(step, training_client=model)
    assert not evals.is_due(24)


@pytest.fixture
def hanging() -> ScriptedClient:
    """A client that never answers."""
    return ScriptedClient(lambda *_: Hang())


async def cancel(awaited: Any, client: ScriptedClient) -> None:
    """Cancels a step once its requests hang."""
    task = asyncio.ensure_future(awaited)
    for _ in range(2000):
        if client.requests:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_step_that_was_cancelled_is_evaluated_when_asked_again(
    hanging: Any, model: Any, numbers: Any, plain: Any, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers(), plain()], eval_every=10)
    await cancel(evals.step(0, sampling_client=hanging), hanging)
    assert "step 0 is not evaluated by numbers, Plain: it was cancelled" in caplog.text
    assert evals.is_due(0)
    assert {"numbers/score", "Plain/accuracy"} <= set(await evals.step(0, training_client=model))
    assert await evals.step(0, training_client=model) == {}
    caplog.clear()
    await evals.finish()
    assert "never evaluated" not in caplog.text


async def test_the_step_after_one_that_was_cancelled_makes_up_for_it(
    hanging: Any, model: Any, numbers: Any
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=10)
    await evals.step(0, training_client=model)
    await cancel(evals.step(10, sampling_client=hanging), hanging)
    assert "numbers/score" in await evals.step(11, training_client=model)
    assert not evals.is_due(12)
    assert evals.is_due(20)


async def test_a_snapshot_that_can_not_be_awaited_to_its_end(model: Any, numbers: Any) -> None:
    """Cancelled before an evaluation had begun."""
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    evals = proctor.InlineEvaluations([numbers()], eval_every=10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(evals.step(0, sampling_client=never), 0.05)
    assert "numbers/score" in await evals.step(0, training_client=model)


@pytest.mark.parametrize("mode", ["foreground", "background"])
async def test_a_step_without_a_snapshot_is_evaluated_when_asked_again(
    mode: Any, model: Any, numbers: Any, loss: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse() -> Any:
        raise ConnectionError("the service is away")

    save = model.save_weights_and_get_sampling_client
    model.save_weights_and_get_sampling_client = refuse
    evals = proctor.InlineEvaluations([numbers(), loss], eval_every=10, mode=mode)
    await evals.step(0, training_client=model)
    async for _, metrics in evals.results():
        assert metrics == {"numbers/failed_evaluations": 1.0, "Loss/loss": 10.0}
        break
    assert "no result at step 0: ConnectionError: the service is away" in caplog.text
    model.save_weights_and_get_sampling_client = save
    await evals.step(0, training_client=model)
    await evals.finish()
    [(step, again)] = evals.arrived()
    assert step == 0
    # the evaluator that needs no snapshot had its result
    assert set(again) >= {"numbers/score"}
    assert "Loss/loss" not in again
    assert "never evaluated" not in caplog.text


async def test_finish_says_which_steps_were_never_evaluated(
    hanging: Any, model: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=10)
    await evals.step(0, training_client=model)
    await cancel(evals.step(10, sampling_client=hanging), hanging)
    await evals.finish()
    assert "step 10 was never evaluated by numbers" in caplog.text


@pytest.mark.parametrize("mode", ["foreground", "background"])
async def test_a_last_step_that_is_cancelled_is_said(
    mode: Any, hanging: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=10, mode=mode)
    await cancel(evals.finish(30, sampling_client=hanging), hanging)
    assert "step 30 is not evaluated by numbers: it was cancelled" in caplog.text
    assert "step 30 was never evaluated by numbers" in caplog.text


async def test_an_evaluator_that_raised_has_had_its_step(model: Any) -> None:
    """It would be run at every step, and pay for every answer."""

    class Broken(proctor.SamplingClientEvaluator):
        """An evaluator that raises."""

        async def __call__(self, sampling_client: Any) -> dict[str, float]:
            raise ZeroDivisionError("no rows")

    evals = proctor.InlineEvaluations([Broken()], eval_every=10)
    assert await evals.step(0, training_client=model) == {"Broken/failed_evaluations": 1.0}
    assert not evals.is_due(0)
    assert not evals.is_due(1)
    assert evals.is_due(10)


async def test_a_step_that_is_skipped_is_given_up(
    model: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Each step after it would be skipped, and warned of, until the evaluation ends."""
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Waits(proctor.Grader):
        """Grades once it may."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(60)

    evals = proctor.InlineEvaluations(
        [numbers(graders=[Waits()])], eval_every=10, mode="background", when_busy="skip"
    )
    for step in (0, 10, 11, 12):
        await evals.step(step, training_client=model)
    assert caplog.text.count("is not evaluated") == 1
    gate.set()
    await evals._wait()
    assert not evals.is_due(13)
    # the one that was given up may still be had, and is where training ends there
    assert evals.is_due(10)
    await evals.step(20, training_client=model)
    await evals.finish()
    assert [step for step, _ in evals.arrived()] == [0, 20]
