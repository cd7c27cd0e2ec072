"""tinker-cookbook's training loops with evaluators of ours, on the service."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tinker_cookbook.rl import train as rl
from tinker_cookbook.supervised import train as sft

import proctor

EXAMPLES = Path(__file__).parents[2] / "examples"
RENDERER = "qwen3_instruct"
HOUSE = Path(__file__).parent / "house_evaluators.py"
CAPITALS = [
    {"input": "What is the capital of France?", "output": "Paris"},
    {"input": "What is the capital of Germany?", "output": "Berlin"},
    {"input": "What is the capital of Atlantis?", "output": "Nowhere"},
]
TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes


@task
def capitals():
    rows = [("France", "Paris"), ("Germany", "Berlin"), ("Atlantis", "Nowhere")]
    samples = [Sample(id=land, input=f"What is the capital of {land}?", target=city)
               for land, city in rows]
    return Task(dataset=samples, scorer=includes())
"""


def example(name: str) -> ModuleType:
    """An example's module, under a name that its own classes can be found by."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def logged(log_path: Path) -> dict[int, dict[str, float]]:
    """The metrics of each step that the loop logged."""
    lines = (log_path / "metrics.jsonl").read_text().splitlines()
    return {line["step"]: line for line in map(json.loads, lines)}


def offline(
    command_line: Any, evals: dict[str, Any], checkpoint: str, folder: str
) -> dict[str, float]:
    """The metrics of a checkpoint by ``proctor run``."""
    model = {"backend": "tinker", "model_path": checkpoint}
    Path("offline.yaml").write_text(yaml.safe_dump({**evals, "model": model}))
    printed = command_line("run", "offline.yaml", "--out", folder, "--json")
    assert printed.code == 0, printed.err
    metrics: dict[str, float] = json.loads(printed.out)["metrics"]
    return metrics


def checkpoints(log_path: Path) -> dict[str, str]:
    """The path of each checkpoint's sampler weights, by its name."""
    lines = (log_path / "checkpoints.jsonl").read_text().splitlines()
    return {line["name"]: line["sampler_path"] for line in map(json.loads, lines)}


@pytest.fixture
def options(tmp_path: Path, service: Any, command_line: Any) -> Any:
    """Writes a config of evaluators, and gives the arguments of an example."""

    def make(evals: dict[str, Any], **arguments: Any) -> Any:
        file = tmp_path / "evals.yaml"
        file.write_text(yaml.safe_dump(evals), encoding="utf-8")
        given = {
            "model_name": service.base_model,
            "renderer_name": RENDERER,
            "evals": file,
            "log_path": tmp_path / "log",
            "learning_rate": 5e-4,
        }
        return type("Options", (), given | arguments)()

    return make


def test_supervised_training_with_a_graded_an_inspect_and_a_house_evaluator_and_nll(
    options: Any,
    command_line: Any,
    service: Any,
    tmp_path: Path,
    tinker_environment: str,
) -> None:
    (tmp_path / "task.py").write_text(TASK, encoding="utf-8")
    facts = {"type": "jsonl", "path": str(EXAMPLES / "facts.jsonl")}
    evals = {
        "sampling": {"max_tokens": 16, "temperature": 0.0},
        "renderer": f"cookbook/{RENDERER}",
        "evaluators": [
            {"name": "facts", "dataset": facts, "graders": ["substring"], "limit": 6},
            {"type": "nll", "name": "facts-nll", "dataset": facts, "limit": 6},
            {
                "type": f"{HOUSE}:CapitalEvaluator",
                "name": "house",
                "capitals": CAPITALS,
                "grader_fn": f"{HOUSE}:holds",
                "model_name": service.base_model,
                "renderer_name": RENDERER,
            },
            {"type": "inspect", "name": "tasks", "tasks": ["task.py@capitals"], "infrequent": True},
        ],
    }
    arguments = options(evals, num_epochs=4, eval_every=2, infrequent_eval_every=4, save_every=3)
    config = example("cookbook_sft").config_of(arguments)
    asyncio.run(sft.main(config))
    metrics = logged(arguments.log_path)
    assert list(metrics) == list(range(8))
    ran = {
        name: [step for step, found in metrics.items() if f"{name}/{key}" in found]
        for name, key in (
            ("facts", "score"),
            ("facts-nll", "score"),
            ("house", "accuracy"),
            ("tasks", "score"),
        )
    }
    every = [0, 2, 4, 6]
    assert ran == {"facts": every, "facts-nll": every, "house": every, "tasks": [0, 4]}
    assert metrics[0]["facts/score"] == 0.0
    assert metrics[6]["facts-nll/score"] < metrics[0]["facts-nll/score"] - 1.0
    # what is saved after step 3 is what step 4 evaluates before its update
    found = offline(command_line, evals, checkpoints(arguments.log_path)["000003"], "at-4")
    inline = {name: metrics[4][name] for name in found}
    assert found == pytest.approx(inline, abs=2e-3)
    assert found["facts/score"] == inline["facts/score"]
    runs = sorted((arguments.log_path / "evaluations" / "facts").iterdir())
    assert len(runs) == 4
    assert len(list(proctor.FinishedRun(runs[-1]).samples())) == 6
    dumped = (arguments.log_path / "config.json").read_text()
    assert tinker_environment not in dumped
    builders = json.loads(dumped)["evaluator_builders"]
    assert [builder["evaluator"] for builder in builders] == ["facts", "facts-nll", "house"]


def test_reinforcement_learning_with_two_evaluators_at_once(
    options: Any, command_line: Any, tmp_path: Path, tinker_environment: str
) -> None:
    (tmp_path / "task.py").write_text(TASK, encoding="utf-8")
    capitals = {"type": "jsonl", "path": str(EXAMPLES / "capitals.jsonl")}
    evals = {
        "sampling": {"max_tokens": 16, "temperature": 0.0},
        "renderer": f"cookbook/{RENDERER}",
        "evaluators": [
            {"name": "capitals", "dataset": capitals, "graders": ["substring"]},
            # two of Inspect's in one step: it allows one evaluation a process (story 5)
            {"type": "inspect", "name": "first", "tasks": ["task.py@capitals"]},
            {"type": "inspect", "name": "second", "tasks": ["task.py@capitals"], "every": 2},
        ],
    }
    arguments = options(evals, batches=3, eval_every=1, save_every=2, learning_rate=1e-4)
    config = example("cookbook_rl").config_of(arguments)
    asyncio.run(rl.main(config))
    metrics = logged(arguments.log_path)
    ran = {
        name: [step for step, found in metrics.items() if f"{name}/score" in found]
        for name in ("capitals", "first", "second")
    }
    # in this loop an evaluator's `every` counts calls
    assert ran == {"capitals": [0, 1, 2], "first": [0, 1, 2], "second": [0, 2]}
    assert metrics[0]["capitals/score"] > 0.0
    saved = checkpoints(arguments.log_path)
    # SkyRL takes what it sampled last for loaded, although training has moved those weights on
    offline(command_line, evals, saved["final"], "at-the-end")
    found = offline(command_line, evals, saved["000002"], "at-2")
    assert found == pytest.approx({name: metrics[2][name] for name in found}, abs=2e-3)
    assert tinker_environment not in (arguments.log_path / "config.json").read_text()


def test_an_in_house_evaluator_alone_and_from_a_config(
    command_line: Any, service: Any, trained: Any
) -> None:
    import tinker

    house = {
        "type": f"{HOUSE}:CapitalEvaluator",
        "name": "house",
        "capitals": CAPITALS,
        "grader_fn": f"{HOUSE}:holds",
        "model_name": service.base_model,
        "renderer_name": RENDERER,
    }
    sys.path.insert(0, str(HOUSE.parent))
    try:
        from house_evaluators import CapitalEvaluator, holds
    finally:
        sys.path.remove(str(HOUSE.parent))

    async def alone() -> dict[str, float]:
        client = await tinker.ServiceClient().create_sampling_client(base_model=service.base_model)
        return await CapitalEvaluator(CAPITALS, holds, service.base_model, RENDERER)(client)

    accuracy = asyncio.run(alone())["accuracy"]
    assert accuracy == pytest.approx(2 / 3)
    model = {"backend": "tinker", "base_model": service.base_model}
    Path("house.yaml").write_text(yaml.safe_dump({"model": model, "evaluators": [house]}))
    printed = command_line("run", "house.yaml", "--out", "house", "--json")
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"] == {"house/accuracy": accuracy}
