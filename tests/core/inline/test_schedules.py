"""When a model in training is evaluated, and what a step returns."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import proctor


async def steps_of(evals: proctor.InlineEvaluations, model: Any, steps: int) -> dict[int, Any]:
    """The metrics of each step of a training loop that had any."""
    metrics = {}
    for step in range(steps):
        metrics[step] = await evals.step(step, training_client=model)
        await model.update()
    metrics[steps] = await evals.finish(steps, training_client=model)
    return {step: found for step, found in metrics.items() if found}


async def test_every_period_the_first_step_and_the_last(model: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=3)
    metrics = await steps_of(evals, model, 8)
    assert list(metrics) == [0, 3, 6, 8]
    # the weights at a step have had as many updates, and know as many answers
    assert [m["numbers/score"] for m in metrics.values()] == [0.0, 0.3, 0.6, 0.8]
    assert [m["numbers/Contains/n"] for m in metrics.values()] == [10.0] * 4


async def test_a_last_step_that_was_evaluated_is_not_evaluated_twice(
    model: Any, numbers: Any
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=2)
    first = await evals.step(4, training_client=model)
    again = await evals.step(4, training_client=model)
    last = await evals.finish(4, training_client=model)
    assert (len(model.snapshots), again, last) == (1, {}, first)


async def test_the_first_step_need_not_be_a_multiple(model: Any, numbers: Any) -> None:
    """Training that resumes at step 7 is evaluated at 7, 10, 20."""
    evals = proctor.InlineEvaluations([numbers()], eval_every=10)
    due = []
    for step in range(7, 25):
        if evals.is_due(step):
            due.append(step)
        await evals.step(step, training_client=model)
    assert due == [7, 10, 20]


async def test_each_evaluator_has_a_schedule_of_its_own(model: Any, numbers: Any) -> None:
    config = {
        "evaluators": [
            {**_spec(), "name": "often"},
            {**_spec(), "name": "seldom", "infrequent": True},
            {**_spec(), "name": "own", "every": 5},
        ],
        "inline": {"eval_every": 2, "infrequent_eval_every": 4},
    }
    metrics = await steps_of(proctor.InlineEvaluations(config), model, 7)
    ran = {
        name: [step for step, found in metrics.items() if f"{name}/score" in found]
        for name in ("often", "seldom", "own")
    }
    assert ran == {"often": [0, 2, 4, 6, 7], "seldom": [0, 4, 7], "own": [0, 5, 7]}


async def test_a_suites_members_keep_its_schedule_unless_they_have_their_own(model: Any) -> None:
    seldom = {"type": "suite", "name": "seldom", "infrequent": True}
    fifth = {"type": "suite", "name": "fifth", "every": 5}
    config = {
        "evaluators": [
            {**seldom, "evaluators": [{**_spec(), "name": "a"}, {**_spec(), "name": "b"}]},
            {
                **fifth,
                "evaluators": [{**_spec(), "name": "c"}, {**_spec(), "name": "d", "every": 3}],
            },
            {**_spec(), "name": "often"},
        ],
        "inline": {"eval_every": 2, "infrequent_eval_every": 4},
    }
    metrics = await steps_of(proctor.InlineEvaluations(config), model, 7)
    ran = {
        name: [step for step, found in metrics.items() if f"{name}/score" in found]
        for name in ("a", "b", "c", "d", "often")
    }
    assert ran == {
        "a": [0, 4, 7],
        "b": [0, 4, 7],
        "c": [0, 5, 7],
        "d": [0, 3, 6, 7],
        "often": [0, 2, 4, 6, 7],
    }
    seldom_builders = proctor.infrequent_evaluator_builders(config)
    assert [builder.name for builder in seldom_builders] == ["a", "b"]


def _spec() -> dict[str, Any]:
    return {
        "dataset": f"{__name__}:Rows",
        "graders": [f"{__name__}:Says"],
        "renderer": "role_colon",
    }


class Rows(proctor.Dataset):
    """Two questions."""

    def examples(self) -> Any:
        for number in "12":
            yield proctor.Example(id=number, input=f"Say <{number}>.", target=number)


class Says(proctor.Grader):
    """Correct when the answer holds the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return example.targets[0] in sample.text


async def test_zero_is_off_also_at_the_first_and_last_step(
    model: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=0)
    assert await steps_of(evals, model, 3) == {}
    assert model.snapshots == []
    assert "nothing is ever evaluated" in caplog.text


async def test_one_snapshot_for_all_evaluators_of_a_step(
    model: Any, numbers: Any, plain: Any
) -> None:
    evals = proctor.InlineEvaluations([numbers("a"), numbers("b"), plain()], eval_every=1)
    metrics = await evals.step(0, training_client=model)
    assert len(model.snapshots) == 1
    assert {"a/score", "b/score", "Plain/accuracy"} <= set(metrics)


async def test_a_step_of_training_clients_only_takes_no_snapshot(model: Any, loss: Any) -> None:
    evals = proctor.InlineEvaluations([loss], eval_every=1)
    await model.update()
    assert await evals.step(0, training_client=model) == {"Loss/loss": 9.0}
    assert model.snapshots == []


async def test_a_sampling_client_in_place_of_a_training_client(model: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers()], eval_every=1)
    metrics = await evals.step(0, sampling_client=model.client_of(4))
    assert metrics["numbers/score"] == 0.4


async def test_inline_metrics_are_those_of_a_run(model: Any, numbers: Any) -> None:
    evals = proctor.InlineEvaluations([numbers(limit=5)], eval_every=1)
    inline = await evals.step(0, sampling_client=model.client_of(6))
    assert inline == await numbers(limit=5)(model.client_of(6))


async def test_the_subset_is_the_same_at_each_step(
    model: Any, numbers: Any, tmp_path: Path
) -> None:
    evals = proctor.InlineEvaluations([numbers(n=50, limit=7)], eval_every=1, log_path=tmp_path)
    await steps_of(evals, model, 2)
    chosen = [
        sorted(record["example"] for record in proctor.FinishedRun(folder).samples())
        for folder in sorted((tmp_path / "evaluations").iterdir())
    ]
    assert chosen[0] == chosen[1] == chosen[2]
    assert chosen[0] != [f"q{n}" for n in range(7)]


async def test_each_step_is_a_run_on_disk(
    model: Any, numbers: Any, loss: Any, tmp_path: Path
) -> None:
    evals = proctor.InlineEvaluations([numbers(), loss], eval_every=2, log_path=tmp_path)
    metrics = await steps_of(evals, model, 3)
    folders = sorted((tmp_path / "evaluations").iterdir())
    assert [folder.name for folder in folders] == ["step-000000", "step-000002", "step-000003"]
    for folder, (step, expected) in zip(folders, metrics.items(), strict=True):
        run = proctor.FinishedRun(folder)
        assert (run.record["step"], run.record["status"]) == (step, "complete")
        assert run.record["model"]["session"]
        results = run.results()
        assert results is not None
        assert results["metrics"] == expected
        assert len(list(run.samples())) == 10
        assert len(run.grades()) == 10


async def test_training_that_starts_again_keeps_the_folders_of_before(
    model: Any, numbers: Any, tmp_path: Path
) -> None:
    for _ in range(2):
        evals = proctor.InlineEvaluations([numbers(n=1)], eval_every=1, log_path=tmp_path)
        await evals.finish(3, training_client=model)
    names = sorted(folder.name for folder in (tmp_path / "evaluations").iterdir())
    assert names == ["step-000003", "step-000003-2"]


async def test_a_suite_is_reported_where_all_its_members_are(model: Any, numbers: Any) -> None:
    suite = {
        "type": "suite",
        "name": "both",
        "evaluators": [{**_spec(), "name": "a"}, {**_spec(), "name": "b", "every": 2}],
    }
    evals = proctor.InlineEvaluations({"evaluators": [suite]}, eval_every=1)
    metrics = await steps_of(evals, model, 2)
    assert ["both/macro/score" in metrics[step] for step in (0, 1, 2)] == [True, False, True]


@pytest.mark.parametrize("coverage", [0.9, 0.5])
async def test_a_score_with_too_little_coverage_is_left_out(coverage: float, numbers: Any) -> None:
    from proctor.testing import ScriptedClient

    failing = round(10 * (1 - coverage))

    def script(prompt: str, index: int) -> Any:
        return ValueError("no") if any(f"<{n}>" in prompt for n in range(failing)) else "fine"

    evals = proctor.InlineEvaluations([numbers()], eval_every=1)
    metrics = await evals.step(0, sampling_client=ScriptedClient(script))
    assert "numbers/score" not in metrics
    assert metrics["numbers/Contains/coverage"] == pytest.approx(coverage)
    assert metrics["numbers/Contains/failed"] == failing


async def test_run_json_of_a_step_names_no_model_of_the_config(model: Any, tmp_path: Path) -> None:
    config = {
        "model": {"backend": "tinker", "base_model": "another"},
        "evaluators": [{**_spec(), "name": "a"}],
        "inline": {"eval_every": 1, "log_path": str(tmp_path)},
    }
    await proctor.InlineEvaluations(config).step(0, training_client=model)
    record = json.loads((tmp_path / "evaluations/step-000000/run.json").read_text())
    assert record["config"]["model"] is None
    assert "another" not in json.dumps(record)


async def test_finishing_closes_the_graders_once(
    model: Any, numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[str] = []

    class Heavy(proctor.Grader):
        """A grader that holds something."""

        async def open(self) -> None:
            opened.append("open")

        async def close(self) -> None:
            opened.append("close")

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return True

    evals = proctor.InlineEvaluations([numbers(graders=[Heavy()])], eval_every=1)
    await steps_of(evals, model, 3)
    assert opened == ["open", "close"]
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
