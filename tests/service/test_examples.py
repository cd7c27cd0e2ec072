"""The examples of training loops, as a user runs them, on the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import proctor

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str) -> str:
    """What an example prints."""
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


def logged(log_path: Path) -> dict[int, dict[str, float]]:
    lines = (log_path / "metrics.jsonl").read_text().splitlines()
    return {line["step"]: line for line in map(json.loads, lines)}


@pytest.fixture
def checkpoint_of(command_line: Any) -> Any:
    """Evaluates the checkpoint that an example's last line names, as that line says."""

    def evaluate(printed: str) -> dict[str, float]:
        command = printed.strip().splitlines()[-1].split("proctor ")[1].split()
        ended = command_line(*command, "--out", "again", "--json")
        assert ended.code == 0, ended.err
        metrics: dict[str, float] = json.loads(ended.out)["metrics"]
        return metrics

    return evaluate


def test_supervised_training_learns_twelve_facts(
    service: Any, tmp_path: Path, checkpoint_of: Any
) -> None:
    # as the example's own, with every eleventh step evaluated: the service takes its time
    evals = yaml.safe_load((EXAMPLES / "facts.yaml").read_text())
    evals["inline"]["eval_every"] = 11
    for evaluator in evals["evaluators"]:
        evaluator["dataset"]["path"] = str(EXAMPLES / evaluator["dataset"]["path"])
    (tmp_path / "facts.yaml").write_text(yaml.safe_dump(evals))
    printed = run(
        "train_sft",
        *("--base-model", service.base_model, "--log-path", str(tmp_path), "--steps", "22"),
        *("--learning-rate", "1e-3", "--evals", str(tmp_path / "facts.yaml")),
    )
    metrics = logged(tmp_path)
    assert list(metrics) == [0, 11, 22]
    scores = [found["facts/score"] for found in metrics.values()]
    assert scores[0] == 0.0
    assert scores[-1] >= 11 / 12
    # the rise is more than chance: the intervals of the first step and of the last are apart
    assert metrics[0]["facts/substring/ci_high"] < metrics[22]["facts/substring/ci_low"]
    nats = [found["facts-nll/score"] for found in metrics.values()]
    assert nats[-1] < nats[0] / 5
    for folder in (tmp_path / "evaluations").iterdir():
        run_of_step = proctor.FinishedRun(folder)
        chosen = {r["example"] for r in run_of_step.samples() if r["evaluator"] == "facts"}
        assert len(chosen) == 12
    again = checkpoint_of(printed)
    assert again["facts/score"] == scores[-1]
    assert again["facts-nll/score"] == pytest.approx(nats[-1], abs=2e-3)
    out = tmp_path / "score.svg"
    run("plot_score", str(tmp_path), "facts", "--out", str(out))
    assert out.read_text().lstrip().startswith("<?xml")


def test_reinforcement_learning_is_evaluated_with_its_own_sampling_client(
    service: Any, tmp_path: Path
) -> None:
    run(
        "train_rl",
        *("--base-model", service.base_model, "--log-path", str(tmp_path), "--steps", "3"),
        *("--group-size", "2"),
    )
    metrics = logged(tmp_path)
    evaluated = [step for step, found in metrics.items() if "capitals/score" in found]
    assert evaluated == [0, 2, 3]
    assert 0.0 < metrics[0]["capitals/score"] <= 1.0
    assert metrics[0]["capitals/substring/n"] == 8
