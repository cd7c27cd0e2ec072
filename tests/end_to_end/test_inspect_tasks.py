"""Inspect's tasks on the real SmolLM2: through Proctor, and through Inspect's own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import hub_cache
import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

SUPPORT = Path(__file__).parents[1] / "support"
EXAMPLES = ("theory_of_mind", "biology_qa", "popularity", "bias_detection", "security_guide")
HUB = ("mmlu_0_shot", "arc_easy", "boolq")
TASKS = [f"{SUPPORT / 'inspect_tasks.py'}@{name}" for name in EXAMPLES]
TASKS += [f"inspect_evals/{name}" for name in HUB]
BUNDLED = [
    f"agent_threat_bench_{name}" for name in ("memory_poison", "autonomy_hijack", "data_exfil")
]
"""Tasks whose data ships in the wheel of inspect_evals, and that need no sandbox and no judge."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The process environment with a hub's cache that holds rows of three data sets."""
    home = tmp_path_factory.mktemp("hub")
    hub_cache.fill(home)
    added = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(home / "xdg")}
    return os.environ | added | {"INSPECT_LOG_LEVEL": "error", "COLUMNS": "200"}


def ran(words, cwd, environment):
    command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def proctors(environment, tmp_path_factory):
    """Every task through the documented command with its module's name changed."""
    folder = tmp_path_factory.mktemp("proctor")
    ran(
        [
            "python",
            "-m",
            "proctor_inspect.run_inspect_evals",
            "backend=local",
            f"tasks={','.join(TASKS)}",
            "temperature=0",
            "max_tokens=10",
            "log_dir=run",
        ],
        folder,
        environment,
    )
    return folder / "run"


@pytest.fixture(scope="module")
def inspects(environment, tmp_path_factory):
    """The logs of every task through ``inspect eval --model proctor/local``."""
    folder = tmp_path_factory.mktemp("inspect")
    options = ["--temperature", "0", "--max-tokens", "10", "--display", "none", "--log-dir", "logs"]
    ran(["inspect", "eval", *TASKS, "--model", "proctor/local", *options], folder, environment)
    logs = [read_eval_log(log) for log in list_eval_logs(str(folder / "logs"))]
    return {log.eval.task.rsplit("/", 1)[-1]: log for log in logs}


@pytest.mark.parametrize("task", [*EXAMPLES, *HUB])
def test_both_ways_give_the_same_scores(proctors, inspects, task):
    metrics = json.loads((proctors / "results.json").read_text())["metrics"]
    [score] = inspects[task].results.scores
    assert score.metrics
    for name, metric in score.metrics.items():
        ours = metrics.get(f"inspect/{task}/{score.name}/{name}")
        if name == "stderr":
            ours = metrics[f"inspect/{task}/{score.name}/inspect_stderr"]
        assert ours == pytest.approx(metric.value), name


@pytest.mark.parametrize("task", [*EXAMPLES, *HUB])
def test_both_ways_give_the_same_answers(proctors, inspects, task):
    records = [json.loads(line) for line in (proctors / "samples.jsonl").read_text().splitlines()]
    answers = {}
    for record in records:
        content = record["messages"][-1]["content"]
        answers.setdefault(record["example"], set()).add(content)
    for sample in inspects[task].samples:
        assert sample.output.completion in answers[str(sample.id)]


def test_tasks_whose_data_ships_in_their_wheel(environment, tmp_path):
    """Agents with tools: the small model calls none, and is told so, the same way both ways."""
    config = {
        "model": {"backend": "local"},
        "renderer": "qwen3_instruct",
        "sampling": {"max_tokens": 16},
        "evaluators": [
            {
                "type": "inspect",
                "tasks": [f"inspect_evals/{name}" for name in BUNDLED],
                "limit": 2,
                "message_limit": 6,
            }
        ],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    ran(["proctor", "run", "evals.yaml", "--out", "run"], tmp_path, environment)
    metrics = json.loads((tmp_path / "run" / "results.json").read_text())["metrics"]
    lines = (tmp_path / "run" / "samples.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == 6
    chosen = ",".join(sorted({record["example"] for record in records}))
    options = ["--temperature", "0", "--max-tokens", "16", "--display", "none"]
    options += ["--message-limit", "6", "--sample-id", chosen, "--log-dir", "logs"]
    options += ["--model", "proctor/local", "-M", "renderer_name=qwen3_instruct"]
    names = [f"inspect_evals/{name}" for name in BUNDLED]
    ran(["inspect", "eval", *names, *options], tmp_path, environment)
    logs = [read_eval_log(log) for log in list_eval_logs(str(tmp_path / "logs"))]
    compared = 0
    for log in logs:
        task = log.eval.task.rsplit("/", 1)[-1]
        for score in log.results.scores:
            ours = metrics[f"inspect/{task}/{score.scorer}.{score.name}/accuracy"]
            assert ours == pytest.approx(score.metrics["accuracy"].value)
            compared += 1
    assert len(logs) == len(BUNDLED)
    assert compared >= len(BUNDLED)


def test_every_sample_is_in_the_run(proctors):
    lines = (proctors / "samples.jsonl").read_text().splitlines()
    assert len(lines) == 5 * 3 + 4 + 3 + 3
    assert all(json.loads(line)["calls"][0]["tokens"] for line in lines)
    assert len(list((proctors / "inspect").glob("*.eval"))) == len(TASKS)


def test_the_log_names_the_models_content(inspects):
    """By it Inspect's cache tells one model from another."""
    names = {log.eval.model for log in inspects.values()}
    [name] = names
    assert name.startswith("proctor/local:HuggingFaceTB/SmolLM2-135M-Instruct:")
    assert name.endswith("-float32")


def test_the_documented_judge_runs_on_a_model_of_ours(environment, tmp_path):
    """So small a judge gives verdicts that can't be read: Inspect has them unscored, not wrong."""
    example = SUPPORT.parents[1] / "examples" / "inspect_judge.py"
    out = ran(["python", str(example)], tmp_path, environment)
    assert "success tinker-sampling/client:HuggingFaceTB/SmolLM2-135M-Instruct" in out
    [log] = [read_eval_log(log) for log in list_eval_logs(str(tmp_path / "inspect-logs"))]
    assert len(log.samples) == 2
    [score] = log.results.scores
    assert score.scored_samples + score.unscored_samples == 2
    for sample in log.samples:
        grading = sample.scores["model_graded_qa"].metadata["grading"]
        assert any("Grade strictly" in str(message) for message in grading)
