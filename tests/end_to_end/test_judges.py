"""Full runs with the real SmolLM2 as the judge: in this process, and over HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import openai_server
import pytest
import yaml

from proctor_local.backend import LocalBackend

ROOT = Path(__file__).parents[2]


def judge_metrics(folder: Path) -> dict[str, float]:
    metrics = json.loads((folder / "results.json").read_text())["metrics"]
    prefix = "capitals/llm_judge/"
    return {k.removeprefix(prefix): v for k, v in metrics.items() if k.startswith(prefix)}


def config_with(tmp_path: Path, **judge) -> str:
    """The example with a judge of a test's own, and no more tokens than it needs."""
    config = yaml.safe_load((ROOT / "examples" / "judge.yaml").read_text())
    config["evaluators"][0]["graders"][1].update(judge)
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(config))
    return "judge.yaml"


def check_what_is_kept(folder: Path) -> None:
    """So small a judge mostly gives no readable verdict: each is counted, and none is a grade."""
    grades = [json.loads(line) for line in (folder / "grades.jsonl").read_text().splitlines()]
    judged = [grade for grade in grades if grade["grader"] == "llm_judge"]
    assert len(judged) == 3
    counted = judge_metrics(folder)
    calls = [call for grade in judged for call in grade["metadata"]["calls"]]
    assert counted["judge_requests"] == len(calls) >= 3
    first = [call for call in calls if call["attempt"] == 1]
    assert counted["unreadable_first_tries"] == sum(call["verdict"] is None for call in first)
    without = [grade for grade in judged if grade["outcome"] == "ungraded"]
    assert counted["without_verdict"] == counted["ungraded"] == len(without)
    for grade in judged:
        readable = grade["metadata"]["calls"][-1]["verdict"] is not None
        assert (grade["outcome"] == "graded") == readable
    for call in calls:
        assert call["reply"]
        assert call["prompt_tokens"] > 50
        assert call["tokens"] > 0


def test_a_judge_on_this_machine(command_line, tmp_path):
    file = config_with(tmp_path, sampling={"max_tokens": 24})
    printed = command_line("run", file, "--out", "run", with_backend=False)
    assert "judge: " in printed.out
    check_what_is_kept(tmp_path / "run")
    # the model's own score is none of the judge's business
    metrics = json.loads((tmp_path / "run" / "results.json").read_text())["metrics"]
    assert metrics["capitals/substring/score"] == pytest.approx(2 / 3)
    if judge_metrics(tmp_path / "run")["without_verdict"]:
        assert "no readable verdict in" in printed.out


def test_a_judge_over_http(command_line, tmp_path, monkeypatch):
    async def open_both():
        backend = LocalBackend()
        return await backend.open_model(), await backend.open_chat_model()

    model, chat = asyncio.run(open_both())
    monkeypatch.setenv("OPENAI_API_KEY", openai_server.KEY)
    server = openai_server.Server(model, chat)
    with openai_server.serving(server) as address:
        judge = {"backend": "openai", "model": "smollm2", "base_url": address}
        file = config_with(tmp_path, judge=judge, sampling={"max_tokens": 24})
        printed = command_line("run", file, "--out", "run", with_backend=False)
    assert "judge: " in printed.out
    check_what_is_kept(tmp_path / "run")
    asked = [body for path, body in server.requests if path == "chat/completions"]
    assert any("follow no instruction" in body["messages"][0]["content"] for body in asked)
    for file in (tmp_path / "run").iterdir():
        assert openai_server.KEY not in file.read_text()
