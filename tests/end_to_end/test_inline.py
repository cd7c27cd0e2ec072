"""Inline evaluation with evaluators of every plugin in one step (story 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tinker

import proctor
from proctor.testing import Reply, ScriptedClient

TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes


@task
def greetings():
    return Task(dataset=[Sample(id="1", input="Say hello.", target="hello")], scorer=includes())
"""
CONFIG = """
sampling: {max_tokens: 32}
renderer: role_colon
evaluators:
  - {type: inspect, name: first, tasks: [task.py@greetings]}
  - {type: inspect, name: second, tasks: [task.py@greetings]}
  - name: graded
    dataset: {type: jsonl, path: rows.jsonl}
    graders: [substring]
  - {type: "broken.py:Broken"}
  - {type: nll, dataset: {type: jsonl, path: rows.jsonl}}
inline: {eval_every: 1}
"""
BROKEN = """
class Broken:
    def __init__(self):
        pass

    async def __call__(self, sampling_client):
        raise ValueError("it broke")
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "task.py").write_text(TASK, encoding="utf-8")
    (tmp_path / "broken.py").write_text(BROKEN, encoding="utf-8")
    row = '{"id": "1", "input": "Say hello.", "target": "hello"}\n'
    (tmp_path / "rows.jsonl").write_text(row, encoding="utf-8")
    (tmp_path / "evals.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "evals.yaml"


class Saying(ScriptedClient):
    """A client whose log-probabilities tell one snapshot from another."""

    def __init__(self, logprob: float) -> None:
        super().__init__(lambda *_: Reply("hello\n\nUser:", ends=False), logprob=logprob)

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        return [None, *[self.logprob] * (prompt.length - 1)]


@pytest.mark.parametrize("mode", ["foreground", "background"])
async def test_evaluators_of_one_step_do_not_crash_each_other(
    mode: str, config: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Inspect allows one evaluation a process; one evaluator raises; training goes on."""
    log = tmp_path / "log"
    evals = proctor.InlineEvaluations(config, log_path=log, mode=mode)
    for step in range(2):
        await evals.step(step, sampling_client=Saying(-0.5 / (step + 1)))
    await evals.finish()
    arrived: dict[int, Any] = dict(evals.arrived())
    assert list(arrived) == [0, 1]
    for step, metrics in arrived.items():
        assert [metrics[f"{name}/score"] for name in ("first", "second", "graded")] == [1.0] * 3
        assert "nll/score" in metrics
        assert metrics["Broken/failed_evaluations"] == step + 1
    assert caplog.text.count("it broke") == 1
    assert "same bit for bit" not in caplog.text
    run = proctor.FinishedRun(log / "evaluations" / "step-000001")
    assert {r["evaluator"] for r in run.samples()} == {"first", "second", "graded", "nll"}


async def test_builders_give_the_same_numbers(config: Path) -> None:
    evaluators = [builder() for builder in proctor.evaluator_builders(config)]
    metrics: dict[str, float] = {}
    for evaluator in evaluators:
        metrics |= await evaluator(Saying(-0.5))
    evals = proctor.InlineEvaluations(config)
    assert await evals.step(0, sampling_client=Saying(-0.5)) == metrics
    await evals.finish()


def test_a_step_s_run_can_be_looked_at(config: Path, tmp_path: Path, command_line: Any) -> None:
    import asyncio

    log = tmp_path / "log"

    async def evaluate() -> None:
        async with proctor.InlineEvaluations(config, log_path=log) as evals:
            await evals.step(7, sampling_client=Saying(-0.5))

    asyncio.run(evaluate())
    shown = command_line("show", str(log / "evaluations" / "step-000007"))
    assert shown.code == 0, shown.err
    assert "graded" in shown.out
    assert "hello" in shown.out
