"""What goes wrong inside training stays an evaluation's matter (stories 5 and 9)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.errors import ConfigError, RunError
from proctor.testing import Hang, Reply, ScriptedClient


class Broken(proctor.SamplingClientEvaluator):
    """An evaluator that raises."""

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        raise ZeroDivisionError("no rows")


async def test_a_failing_evaluator_takes_nothing_with_it(
    model: Any, numbers: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    evals = proctor.InlineEvaluations([Broken(), numbers()], eval_every=1, log_path=tmp_path)
    for step in range(3):
        metrics = await evals.step(step, training_client=model)
        assert metrics["numbers/Contains/n"] == 10
        assert {k: v for k, v in metrics.items() if k.startswith("Broken")} == {
            "Broken/failed_evaluations": step + 1.0
        }
    lines = [r.getMessage() for r in caplog.records if "Broken" in r.getMessage()]
    assert len(lines) == 1
    assert "no rows" in lines[0]
    assert "step 0" in lines[0]
    results = proctor.FinishedRun(tmp_path / "evaluations" / "step-000000").results()
    assert results is not None
    assert results["status"] == "failed"
    assert "no rows" in results["errors"]["Broken"]


async def test_a_failing_evaluator_is_an_error_on_request(model: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers(), Broken()], eval_every=1, on_error="raise")
    with pytest.raises(RunError, match=r"Broken has no result at step 0: .*no rows"):
        await evals.step(0, training_client=model)


async def test_a_dataset_that_is_gone_does_not_end_training(model: Any, numbers: Any) -> None:
    class Gone(proctor.Dataset):
        """A dataset that can't be read."""

        def examples(self) -> Any:
            raise FileNotFoundError("rows.jsonl")

    gone = proctor.GradedEvaluator(name="gone", dataset=Gone(), graders=[Says()])
    evals = proctor.InlineEvaluations([gone, numbers()], eval_every=1)
    metrics = await evals.step(0, training_client=model)
    assert metrics["gone/failed_evaluations"] == 1.0
    assert "numbers/score" in metrics


class Says(proctor.Grader):
    """Always right."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return True


async def test_a_snapshot_that_fails_is_a_failure_of_each_evaluator(numbers: Any) -> None:
    class Future:
        """Of a snapshot that the service refuses, as tinker's futures are awaited."""

        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            raise ConnectionError("the service is away")

    evals = proctor.InlineEvaluations([numbers("a"), numbers("b")], eval_every=1)
    metrics = await evals.step(0, sampling_client=Future())
    assert metrics == {"a/failed_evaluations": 1.0, "b/failed_evaluations": 1.0}


async def test_a_training_client_that_refuses_a_snapshot_does_not_end_training(
    model: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse() -> Any:
        raise ConnectionError("the service is away")

    evals = proctor.InlineEvaluations([numbers()], eval_every=1)
    save, model.save_weights_and_get_sampling_client = (
        model.save_weights_and_get_sampling_client,
        refuse,
    )
    assert await evals.step(0, training_client=model) == {"numbers/failed_evaluations": 1.0}
    assert "the service is away" in caplog.text
    model.save_weights_and_get_sampling_client = save
    metrics = await evals.step(1, training_client=model)
    assert {"numbers/score", "numbers/failed_evaluations"} <= set(metrics)


async def test_requests_that_hang_fail_at_the_time_budget(
    numbers: Any, plain: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that never answers, not even when it is cancelled, holds up nothing."""
    client = ScriptedClient(lambda *_: Hang(heeds_cancellation=False))
    evals = proctor.InlineEvaluations([numbers(), plain()], eval_every=1, time_budget=0.3)
    metrics = await asyncio.wait_for(evals.step(0, sampling_client=client), 60)
    assert "numbers/score" not in metrics
    assert metrics["numbers/Contains/failed"] == 10
    assert metrics["numbers/Contains/coverage"] == 0.0
    assert metrics["Plain/failed_evaluations"] == 1.0
    assert "Plain" in caplog.text


async def test_a_training_client_s_evaluator_that_hangs_ends_at_the_time_budget(
    model: Any, numbers: Any
) -> None:
    class Hangs(proctor.TrainingClientEvaluator):
        """One that never comes back."""

        async def __call__(self, training_client: Any) -> dict[str, float]:
            await asyncio.Event().wait()
            raise AssertionError

    evals = proctor.InlineEvaluations([Hangs(), numbers()], eval_every=1, time_budget=2.0)
    metrics = await asyncio.wait_for(evals.step(0, training_client=model), 60)
    assert metrics["Hangs/failed_evaluations"] == 1.0
    assert "numbers/score" in metrics


async def test_a_token_budget_ends_the_sending_and_withholds_the_score(numbers: Any) -> None:
    client = ScriptedClient(lambda *_: Reply("<1>"))
    evals = proctor.InlineEvaluations(
        {"evaluators": [numbers(n=40)], "concurrency": 1}, eval_every=1, token_budget=400
    )
    metrics = await evals.step(0, sampling_client=client)
    assert 0 < client.requests < 40
    assert metrics["numbers/Contains/failed"] == 40 - client.requests
    assert "numbers/score" not in metrics
    # the budget is of one step's evaluation: the next step has its own
    before = client.requests
    await evals.step(1, sampling_client=client)
    assert client.requests == 2 * before


async def test_a_token_budget_holds_for_evaluators_that_know_of_none(plain: Any) -> None:
    client = ScriptedClient(lambda *_: Reply("<1>"))
    evals = proctor.InlineEvaluations([plain(n=40)], eval_every=1, token_budget=100)
    metrics = await evals.step(0, sampling_client=client)
    assert metrics == {"Plain/failed_evaluations": 1.0}
    assert 0 < client.requests < 40


@pytest.mark.parametrize("moves", [True, False])
async def test_frozen_weights_are_noticed(
    moves: bool, model: Any, numbers: Any, plain: Any, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers(), plain()], eval_every=2)
    for step in range(4):
        await evals.step(step, training_client=model)
        if moves:
            await model.update()
    await evals.finish(4, training_client=model)
    said = [r.getMessage() for r in caplog.records if "the same bit for bit" in r.getMessage()]
    assert any("numbers" in line for line in said) is not moves
    assert any("Plain" in line for line in said) is not moves
    assert all("steps 0 and 2" in line or "steps 2 and 4" in line for line in said)


async def test_the_same_words_with_other_log_probabilities_are_no_frozen_weights(
    numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A model that has learnt its answers says them again at each step."""

    def learnt(logprob: float) -> ScriptedClient:
        return ScriptedClient(lambda *_: "<1>", logprob=logprob)

    evals = proctor.InlineEvaluations([numbers()], eval_every=1)
    for step, logprob in enumerate((-0.5, -0.25)):
        await evals.step(step, sampling_client=learnt(logprob))
    assert "bit for bit" not in caplog.text
    await evals.step(2, sampling_client=learnt(-0.25))
    assert "steps 1 and 2" in caplog.text


async def test_one_request_budget_for_all_evaluators_of_a_step(numbers: Any, plain: Any) -> None:
    client = ScriptedClient(lambda *_: Reply("<1>", seconds=0.01))

    async def all_at_once(capped: Any) -> None:
        import tinker

        prompt = tinker.ModelInput.from_ints(capped.get_tokenizer().encode("Say <1>."))
        params = tinker.SamplingParams(max_tokens=4)
        await asyncio.gather(
            *(
                capped.sample(prompt=prompt, num_samples=1, sampling_params=params)
                for _ in range(20)
            )
        )

    evals = proctor.InlineEvaluations(
        {"evaluators": [numbers("a"), numbers("b"), plain(script=all_at_once)], "concurrency": 3},
        eval_every=1,
    )
    metrics = await evals.step(0, sampling_client=client)
    assert {"a/score", "b/score", "Plain/accuracy"} <= set(metrics)
    assert client.requests == 46
    assert client.most_in_flight == 3


async def test_records_that_cannot_be_written_leave_the_scores(
    model: Any, numbers: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=1, log_path=tmp_path)
    (tmp_path / "evaluations").rmdir()
    (tmp_path / "evaluations").write_text("in the way")
    metrics = await evals.step(0, training_client=model)
    assert metrics["numbers/score"] == 0.0
    assert "no samples are kept" in caplog.text


BAD_CONFIGS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "a negative period": ("numbers", {"eval_every": -1}, ["inline.eval_every", "-1", "0"]),
    "an unknown mode": ("numbers", {"mode": "later"}, ["inline.mode", "background"]),
    "an unknown key": ("numbers", {"eval_evry": 3}, ["eval_evry", "did you mean 'eval_every'"]),
    "a budget of nothing": ("numbers", {"time_budget": 0}, ["inline.time_budget", "0"]),
    "no config at all": (object(), {}, ["object is no config of evaluators", "YAML"]),
    "a number": (3, {}, ["int is no config of evaluators"]),
    "an empty list": ([], {}, ["evaluators"]),
    "a training config's mapping": (
        {"model_name": "m", "learning_rate": 1e-4},
        {},
        ["needs the option 'evaluators'"],
    ),
    "an infrequent that is no yes or no": (
        [{"dataset": "rows", "infrequent": "often", "graders": ["right"]}],
        {},
        ["infrequent", "often"],
    ),
}


@pytest.mark.parametrize("case", BAD_CONFIGS)
def test_bad_configs_are_one_line(case: str, numbers: Any) -> None:
    source, options, expected = BAD_CONFIGS[case]
    source = [numbers()] if source == "numbers" else source
    with pytest.raises(ConfigError) as raised:
        proctor.InlineEvaluations(source, **options)
    line = str(raised.value)
    assert "\n" not in line
    assert all(part in line for part in expected), line


async def test_bad_steps_are_one_line(model: Any, numbers: Any, loss: Any) -> None:
    evals = proctor.InlineEvaluations([numbers(), loss], eval_every=1)
    with pytest.raises(ConfigError, match="step 0: there is no client; give training_client="):
        await evals.step(0)
    with pytest.raises(ConfigError, match="a step is a number from 0, not -1"):
        await evals.step(-1, training_client=model)
    with pytest.raises(ConfigError, match=r"Loss needs a training client.*leave the evaluator out"):
        await evals.step(0, sampling_client=model.client_of(0))
    with pytest.raises(
        ConfigError, match=r"TrainedModel is no sampling client; .*training_client="
    ):
        await evals.step(0, sampling_client=model)
    with pytest.raises(proctor.BackendError, match="ScriptedClient is no training client"):
        await evals.step(0, training_client=model.client_of(0))
    # none of these mistakes used up the first step
    assert "numbers/score" in await evals.step(0, training_client=model)
    await evals.finish()
    with pytest.raises(ConfigError, match="it is finished; make a new one"):
        await evals.step(1, training_client=model)


def test_a_log_folder_that_cannot_be_made_is_said_at_once(numbers: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("in the way")
    with pytest.raises(RunError, match="can't make the folder"):
        proctor.InlineEvaluations([numbers()], eval_every=1, log_path=tmp_path / "log")


async def test_an_interrupt_passes_through(model: Any, numbers: Any, plain: Any) -> None:
    started = asyncio.Event()

    async def hang(_: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    evals = proctor.InlineEvaluations([plain(script=hang)], eval_every=1)
    task = asyncio.create_task(evals.step(0, training_client=model))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
