"""``proctor run`` on the service: a base model, a checkpoint, all checkpoints of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import proctor

SAMPLING = {"max_tokens": 8, "temperature": 0.0}


@pytest.fixture
def write_config(tmp_path: Path, rows: list[dict[str, str]]) -> Any:
    """Writes a config of the facts, for a model."""

    def write(**model: Any) -> str:
        facts = {
            "name": "facts",
            "dataset": {"type": "inline", "rows": rows},
            "graders": ["substring"],
        }
        nll = {"type": "nll", "dataset": {"type": "inline", "rows": rows}}
        config = {
            "model": {"backend": "tinker", **model},
            "sampling": SAMPLING,
            "evaluators": [facts, nll],
        }
        (tmp_path / "evals.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        return "evals.yaml"

    return write


def run(command_line: Any, *arguments: str, code: int = 0) -> dict[str, Any]:
    printed = command_line("run", *arguments, "--json")
    assert printed.code == code, printed.err + printed.out
    return dict(json.loads(printed.out))


def test_the_base_model_knows_none_of_the_facts(
    command_line: Any, write_config: Any, service: Any
) -> None:
    config = write_config(base_model=service.base_model)
    metrics = run(command_line, config, "--out", "base")["metrics"]
    assert metrics["facts/score"] == 0.0
    assert metrics["facts/substring/n"] == 3
    assert metrics["facts/substring/coverage"] == 1.0
    assert metrics["nll/score"] > 1.0
    record = proctor.FinishedRun(Path("base")).record
    assert record["model"]["base_model"] == service.base_model
    assert record["model"]["checkpoint"] is None


def test_a_trained_checkpoint_by_its_path(
    command_line: Any, write_config: Any, trained: Any, tinker_environment: str
) -> None:
    config = write_config(model_path=trained.paths[-1])
    metrics = run(command_line, config, "--out", "trained")["metrics"]
    assert metrics["facts/score"] == 1.0
    assert metrics["nll/score"] < 0.1
    finished = proctor.FinishedRun(Path("trained"))
    answers = {
        record["example"]: record["messages"][-1]["content"]
        for record in finished.samples()
        if record["evaluator"] == "facts"
    }
    assert sorted(answers.values()) == sorted(trained.facts.values())
    assert finished.record["model"]["checkpoint"].endswith("/step-012")
    written = "".join(file.read_text() for file in Path("trained").iterdir() if file.is_file())
    assert tinker_environment not in written


def test_a_sweep_over_all_checkpoints_of_a_training_run(
    command_line: Any, write_config: Any, trained: Any, service: Any
) -> None:
    config = write_config(base_model=service.base_model)
    printed = command_line("run", config, "--training-run", trained.run_id, "--out", "sweep")
    assert printed.code == 0, printed.err
    table = [line for line in printed.out.splitlines() if "step-0" in line]
    assert [name for line in table for name in ("step-000", "step-012") if name in line][:2] == [
        "step-000",
        "step-012",
    ]
    folders = sorted(path for path in Path("sweep").iterdir() if path.is_dir())
    scores = [proctor.FinishedRun(folder).results() for folder in folders]
    assert [s["metrics"]["facts/score"] for s in scores if s] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"base_model": "no-such/model"}, ["no-such/model"]),
        ({"model_path": "tinker://model_gone/sampler_weights/x"}, ["model_gone"]),
    ],
)
def test_what_the_service_does_not_have_is_one_line(
    model: dict[str, str], expected: list[str], command_line: Any, write_config: Any
) -> None:
    printed = command_line("run", write_config(**model), "--out", "none")
    assert printed.code == 2
    (line,) = printed.err.strip().splitlines()[-1:]
    assert all(part in line for part in expected), line
    assert "Traceback" not in printed.err


def test_a_base_model_that_contradicts_the_checkpoint_is_one_line(
    command_line: Any, write_config: Any, trained: Any
) -> None:
    config = write_config(base_model="another/model", model_path=trained.paths[-1])
    printed = command_line("run", config, "--out", "none")
    assert printed.code == 2
    assert "is a checkpoint of" in printed.err
    assert "not of 'another/model'" in printed.err
