"""Proctor's evaluators as tinker-cookbook's own code takes them.

The loops themselves run in tests/service, on a service that trains.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook.eval import evaluators as cookbook
from tinker_cookbook.rl import train as rl
from tinker_cookbook.supervised import train as sft
from tinker_cookbook.utils.ml_log import dump_config

import proctor
from proctor.errors import ConfigError, PluginError


class Loss(proctor.TrainingClientEvaluator):
    """The loss, as far as a test needs one."""

    async def __call__(self, training_client: Any) -> dict[str, float]:
        return {"loss": 10.0 - training_client.updates}


class Broken(proctor.SamplingClientEvaluator):
    """An evaluator that raises."""

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        raise ZeroDivisionError("no rows")


async def test_supervised_training_runs_our_evaluators(model: Any, numbers: Any) -> None:
    builders = proctor.evaluator_builders([numbers("a"), numbers("b"), Loss()])
    evaluators = [builder() for builder in builders]
    model.updates = 4
    metrics = await sft.run_evals(evaluators, model, step=4)
    assert (metrics["a/score"], metrics["b/score"], metrics["Loss/loss"]) == (0.4, 0.4, 6.0)
    assert model.snapshots == 1


async def test_reinforcement_learning_runs_our_evaluators_at_once(
    model: Any, numbers: Any, tmp_path: Path
) -> None:
    """Story 5: one of several evaluators that fails ends neither the others nor training."""
    builders = proctor.evaluator_builders([numbers("a"), Broken(), numbers("b")])
    config = _FakeConfig(str(tmp_path))
    metrics = await rl.run_evaluations_parallel(
        [builder() for builder in builders], model.client_of(7), config, 0
    )
    assert metrics["a/score"] == metrics["b/score"] == 0.7
    assert metrics["Broken/failed_evaluations"] == 1.0


class _FakeConfig:
    """What running evaluators reads of an RL config."""

    num_groups_to_log = 0
    rollout_json_export = False
    span_chart_every = 0
    enable_trace = False

    def __init__(self, log_path: str) -> None:
        self.log_path = log_path


async def test_a_training_client_s_evaluator_in_reinforcement_learning_is_one_line(
    model: Any, tmp_path: Path
) -> None:
    (builder,) = proctor.evaluator_builders([Loss()])
    evaluator = builder()
    assert isinstance(evaluator, cookbook.TrainingClientEvaluator)
    with pytest.raises(ConfigError) as raised:
        await rl.run_evaluations_parallel(
            [evaluator], model.client_of(1), _FakeConfig(str(tmp_path)), 0
        )
    assert "Loss needs a training client" in str(raised.value)
    assert "leave it out, as of RL configs" in str(raised.value)


def test_evaluators_are_of_both_families(numbers: Any) -> None:
    sampling, training = (b() for b in proctor.evaluator_builders([numbers(), Loss()]))
    assert isinstance(sampling, cookbook.SamplingClientEvaluator)
    assert isinstance(sampling, proctor.SamplingClientEvaluator)
    assert isinstance(training, cookbook.TrainingClientEvaluator)
    assert isinstance(training, proctor.TrainingClientEvaluator)


def test_a_config_of_builders_is_written_without_secrets(
    numbers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINKER_API_KEY", "tml-very-secret")
    config = sft.Config(
        log_path=str(tmp_path),
        model_name="m",
        recipe_name="r",
        dataset_builder=None,  # type: ignore[arg-type]
        evaluator_builders=proctor.evaluator_builders([numbers(limit=3)]),
    )
    dumped = json.loads(json.dumps(dump_config(config)))
    (builder,) = dumped["evaluator_builders"]
    assert builder["evaluator"] == "numbers"
    assert builder["options"]["limit"] == 3
    assert "very-secret" not in json.dumps(dumped)


CAPITALS = '''
from tinker_cookbook.eval.evaluators import SamplingClientEvaluator, TrainingClientEvaluator


class CapitalEvaluator(SamplingClientEvaluator):
    """An evaluator of a user of tinker-cookbook."""

    def __init__(self, bonus: float = 0.0):
        self.bonus = bonus

    async def __call__(self, sampling_client):
        tokenizer = sampling_client.get_tokenizer()
        return {"accuracy": 0.5 + self.bonus, "has_tokenizer": tokenizer is not None}


class LossEvaluator(TrainingClientEvaluator):
    """One of those that need the training client."""

    async def __call__(self, training_client):
        return {"loss": 1.5}
'''


async def test_a_user_s_own_evaluators_by_import_path(tmp_path: Path, model: Any) -> None:
    (tmp_path / "house.py").write_text(CAPITALS, encoding="utf-8")
    (tmp_path / "evals.yaml").write_text(
        "evaluators:\n"
        '  - {type: "house.py:CapitalEvaluator", name: capitals, bonus: 0.25}\n'
        '  - {type: "house.py:LossEvaluator"}\n'
        "inline: {eval_every: 1}\n",
        encoding="utf-8",
    )
    capitals, loss = (builder() for builder in proctor.evaluator_builders(tmp_path / "evals.yaml"))
    assert isinstance(capitals, cookbook.SamplingClientEvaluator)
    assert isinstance(loss, cookbook.TrainingClientEvaluator)
    metrics = await sft.run_evals([capitals, loss], model, step=0)
    assert metrics == {
        "capitals/accuracy": 0.75,
        "capitals/has_tokenizer": 1.0,
        "LossEvaluator/loss": 1.5,
    }
    evals = proctor.InlineEvaluations(tmp_path / "evals.yaml")
    with pytest.raises(ConfigError, match="LossEvaluator needs a training client"):
        await evals.step(0, sampling_client=model.client_of(0))


@pytest.mark.parametrize("version", ["0.5.7", "0.6.1"])
def test_another_tinker_cookbook_is_one_line(
    version: str, numbers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata,
        "version",
        lambda name: version if name == "tinker-cookbook" else real(name),
    )
    (builder,) = proctor.evaluator_builders([numbers()])
    with pytest.raises(PluginError) as raised:
        builder()
    line = str(raised.value)
    assert "supports tinker-cookbook <0.6,>=0.5.8, not " + version in line
    assert "pip install" in line


def test_the_installed_tinker_cookbook_is_supported(numbers: Any) -> None:
    (builder,) = proctor.evaluator_builders([numbers()])
    assert isinstance(builder(), cookbook.SamplingClientEvaluator)
