"""Evaluator builders, as training loops call them."""

from __future__ import annotations

import asyncio
import copy
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import proctor
from proctor.errors import ConfigError, RunError
from proctor.plugins import active
from proctor.plugins.manager import PluginManager
from proctor.testing import Reply, ScriptedClient

ADAPTING = """
import proctor


class Adapted(proctor.SamplingClientEvaluator):
    def __init__(self, evaluator):
        self.evaluator = evaluator

    async def __call__(self, sampling_client):
        return {"adapted": 1.0, **await self.evaluator(sampling_client)}


@proctor.hookimpl
def proctor_adapt_evaluator(evaluator):
    return Adapted(evaluator)
"""


@pytest.fixture(autouse=True)
def no_plugins() -> Iterator[None]:
    """Only the core: what else is installed here adapts nothing."""
    with active.using(PluginManager(only=())):
        yield


class Broken(proctor.SamplingClientEvaluator):
    """An evaluator that raises."""

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        raise ZeroDivisionError("no rows")


def infrequent(evaluator: str, **options: Any) -> dict[str, Any]:
    return {"type": f"{__name__}:{evaluator}", "infrequent": True, **options}


class Constant(proctor.SamplingClientEvaluator):
    """An evaluator that knows its answer."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        return {"value": self.value}


async def test_a_config_is_two_lists_of_builders(numbers: Any, model: Any) -> None:
    config = {
        "evaluators": [numbers("a"), infrequent("Constant", name="b", value=3.0), numbers("c")]
    }
    often = proctor.evaluator_builders(config)
    seldom = proctor.infrequent_evaluator_builders(config)
    assert [[b.name for b in builders] for builders in (often, seldom)] == [["a", "c"], ["b"]]
    evaluator = often[0]()
    assert isinstance(evaluator, proctor.SamplingClientEvaluator)
    assert (await evaluator(model.client_of(3)))["a/score"] == 0.3
    assert await seldom[0]()(model.client_of(3)) == {"b/value": 3.0}


async def test_builders_give_the_numbers_of_inline_evaluations(numbers: Any, model: Any) -> None:
    (builder,) = proctor.evaluator_builders([numbers(limit=4)])
    evals = proctor.InlineEvaluations([numbers(limit=4)], eval_every=1)
    expected = await evals.step(0, sampling_client=model.client_of(7))
    assert await builder()(model.client_of(7)) == expected


async def test_a_failing_evaluator_does_not_end_the_loop(
    model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (builder,) = proctor.evaluator_builders([Broken()])
    evaluator = builder()
    counts = [await evaluator(model.client_of(1)) for _ in range(3)]
    assert counts == [{"Broken/failed_evaluations": n} for n in (1.0, 2.0, 3.0)]
    assert caplog.text.count("no rows") == 1


async def test_a_failing_evaluator_is_an_error_on_request(model: Any) -> None:
    config = {"evaluators": [Broken()], "inline": {"on_error": "raise"}}
    (builder,) = proctor.evaluator_builders(config)
    with pytest.raises(RunError, match="no rows"):
        await builder()(model.client_of(1))


async def test_a_function_is_an_evaluator_too(model: Any) -> None:
    async def tokens(sampling_client: Any) -> dict[str, float]:
        return {"count": len(sampling_client.get_tokenizer().encode("abc"))}

    (builder,) = proctor.evaluator_builders([tokens])
    assert list(await builder()(model.client_of(0))) == ["tokens/count"]
    assert json.dumps(builder.to_dict())


async def test_every_counts_calls(model: Any) -> None:
    config = [{"type": f"{__name__}:Constant", "name": "c", "every": 3}]
    (builder,) = proctor.evaluator_builders(config)
    evaluator = builder()
    ran = [bool(await evaluator(model.client_of(1))) for _ in range(7)]
    assert ran == [True, False, False, True, False, False, True]


async def test_each_call_is_a_run_on_disk(numbers: Any, model: Any, tmp_path: Path) -> None:
    (builder,) = proctor.evaluator_builders([numbers()], log_path=tmp_path)
    evaluator = builder()
    metrics = [await evaluator(model.client_of(updates)) for updates in (2, 5)]
    folders = sorted((tmp_path / "evaluations" / "numbers").iterdir())
    assert [folder.name for folder in folders] == ["step-000000", "step-000001"]
    results = [proctor.FinishedRun(folder).results() for folder in folders]
    assert [r["metrics"] for r in results if r] == metrics


async def test_the_builders_of_a_list_share_one_budget(numbers: Any) -> None:
    client = ScriptedClient(lambda *_: Reply("<1>", seconds=0.01))
    config = {"evaluators": [numbers("a"), numbers("b"), numbers("c")], "concurrency": 2}
    evaluators = [builder() for builder in proctor.evaluator_builders(config)]
    await asyncio.gather(*(evaluator(client) for evaluator in evaluators))
    assert (client.requests, client.most_in_flight) == (30, 2)


def test_evaluators_outlive_an_event_loop(numbers: Any, model: Any) -> None:
    """A synchronous training loop runs an event loop for each evaluation."""
    config = {"evaluators": [numbers("a"), numbers("b")], "concurrency": 1}
    evaluators = [builder() for builder in proctor.evaluator_builders(config)]

    async def both(updates: int) -> list[float]:
        client = model.client_of(updates)
        metrics = await asyncio.gather(*(evaluator(client) for evaluator in evaluators))
        return [m[f"{name}/score"] for name, m in zip("ab", metrics, strict=True)]

    assert [asyncio.run(both(updates)) for updates in (1, 2)] == [[0.1, 0.1], [0.2, 0.2]]


async def test_an_evaluator_of_the_training_client(model: Any, loss: Any) -> None:
    (builder,) = proctor.evaluator_builders([loss])
    evaluator = builder()
    assert isinstance(evaluator, proctor.TrainingClientEvaluator)
    assert await evaluator(model) == {"Loss/loss": 10.0}
    with pytest.raises(ConfigError) as raised:
        await evaluator(model.client_of(1))
    assert str(raised.value) == (
        "Loss needs a training client, and this loop gives a sampling client; "
        "leave it out, as of RL configs"
    )


class WithKey(proctor.Grader):
    """A grader that holds a secret."""

    key: SecretStr
    """The key."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return True


def test_a_builder_says_what_it_builds_without_secrets(
    numbers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINKER_API_KEY", "tml-very-secret")
    evaluator = numbers(graders=[WithKey(key=SecretStr("tml-very-secret"))], limit=4)
    config = {
        "model": {"backend": "tinker", "base_model": "m"},
        "sampling": {"max_tokens": 9},
        "evaluators": [evaluator],
        "seed": 5,
    }
    (builder,) = proctor.evaluator_builders(config)
    spec = json.loads(json.dumps(builder.to_dict()))
    assert spec["evaluator"] == "numbers"
    assert spec["options"]["limit"] == 4
    assert (spec["seed"], spec["sampling"]["max_tokens"]) == (5, 9)
    assert "very-secret" not in json.dumps(spec) + repr(builder)


def test_a_builder_can_be_copied(numbers: Any) -> None:
    """Training configs copy what they hold."""
    (builder,) = proctor.evaluator_builders([numbers()])
    assert copy.copy(builder).to_dict() == builder.to_dict()


async def test_a_plugin_adapts_what_a_builder_returns(
    model: Any, tmp_path: Path, numbers: Any
) -> None:
    (tmp_path / "adapting.py").write_text(ADAPTING, encoding="utf-8")
    with active.using(PluginManager(only=(), files=[tmp_path / "adapting.py"])):
        (builder,) = proctor.evaluator_builders([numbers()])
        metrics = await builder()(model.client_of(1))
    assert metrics["adapted"] == 1.0
    assert metrics["numbers/score"] == 0.1


def test_tinker_cookbook_without_its_plugin_is_one_line(
    numbers: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (builder,) = proctor.evaluator_builders([numbers()])
    monkeypatch.delitem(sys.modules, "tinker_cookbook", raising=False)
    builder()
    assert caplog.records == []
    monkeypatch.setitem(sys.modules, "tinker_cookbook", types.ModuleType("tinker_cookbook"))
    builder()
    (record,) = caplog.records
    assert "pip install proctor-cookbook" in record.getMessage()


@pytest.mark.parametrize(
    "make", [proctor.evaluator_builders, proctor.infrequent_evaluator_builders]
)
def test_a_config_of_the_wrong_kind_is_one_line(make: Any) -> None:
    class Config:
        """As of a training loop."""

    with pytest.raises(ConfigError) as raised:
        make(Config())
    line = str(raised.value)
    assert "Config is no config of evaluators; give a YAML file" in line
    with pytest.raises(ConfigError, match="needs the option 'evaluators'"):
        make({"model_name": "m"})
    with pytest.raises(ConfigError, match="is no evaluator"):
        make([3])


def test_a_background_mode_that_builders_cannot_have_is_said(
    numbers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    proctor.evaluator_builders({"evaluators": [numbers()], "inline": {"mode": "background"}})
    assert "'mode: background' has no effect in builders" in caplog.text


HOUSE = """
from collections.abc import Callable


def contains(response: str, target: str) -> bool:
    return target in response


class House:
    def __init__(self, grader_fn: Callable[[str, str], bool], rows: list[str]):
        self.grader_fn = grader_fn
        self.rows = rows

    async def __call__(self, sampling_client):
        return {"accuracy": sum(self.grader_fn(row, "a") for row in self.rows) / len(self.rows)}
"""


async def test_a_function_is_named_by_its_import_path(tmp_path: Path, model: Any) -> None:
    (tmp_path / "house.py").write_text(HOUSE, encoding="utf-8")
    text = (
        'evaluators: [{type: "house.py:House", name: h, grader_fn: "house.py:%s", rows: [ab, c]}]'
    )
    (tmp_path / "evals.yaml").write_text(text % "contains", encoding="utf-8")
    (builder,) = proctor.evaluator_builders(tmp_path / "evals.yaml")
    assert await builder()(model.client_of(1)) == {"h/accuracy": 0.5}
    assert "contains" in json.dumps(builder.to_dict())
    (tmp_path / "evals.yaml").write_text(text % "gone", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        proctor.evaluator_builders(tmp_path / "evals.yaml")
    assert "evaluators[0].grader_fn" in str(raised.value)
    assert "house.py:gone' can't be imported" in str(raised.value)
