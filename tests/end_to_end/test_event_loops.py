"""A training loop that is not async: each step has an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai_server
import pytest
from starlette.responses import JSONResponse

import proctor
from proctor.testing import ScriptedClient

ROOT = Path(__file__).parents[2]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A judge behind HTTP that finds everything correct."""

    def judges(path: str, number: int) -> JSONResponse | None:
        if path != "chat/completions":
            return None
        message = {"role": "assistant", "content": "It is.\nVERDICT: CORRECT"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        head = {"id": "1", "object": "chat.completion", "created": 0, "model": "judge"}
        return JSONResponse({**head, "choices": [choice], "usage": usage})

    monkeypatch.setenv("OPENAI_API_KEY", openai_server.KEY)
    model = SimpleNamespace(identity=SimpleNamespace(context_length=100))
    with openai_server.serving(
        openai_server.Server(model, None, name="judge", misbehaves=judges)
    ) as address:
        backend = {"backend": "openai", "model": "judge", "base_url": address}
        yield {"type": "llm_judge", "judge": {**backend, "structured_output": "no"}}


class Capitals(proctor.Dataset):
    """Four questions."""

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(4):
            yield proctor.Example(id=f"q{number}", input=f"{number}?", target="Rome")


def spec(judge: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "judged",
        "dataset": f"{__name__}:Capitals",
        "graders": [judge],
        "renderer": "role_colon",
    }


def run(awaited: Any) -> Any:
    """``asyncio.run`` as Python has it: packages of other tests patch it to keep one event loop."""
    with asyncio.Runner() as runner:
        return runner.run(awaited)


def client() -> ScriptedClient:
    return ScriptedClient(lambda *_: "Rome")


@pytest.mark.parametrize("mode", ["foreground", "background"])
def test_a_judge_behind_http_answers_at_every_step(
    mode: Any, judge: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations({"evaluators": [spec(judge)]}, eval_every=1, mode=mode)
    for step in range(4):
        run(evals.step(step, sampling_client=client()))
    run(evals.finish())
    metrics = dict(evals.arrived())
    coverage = {step: found["judged/llm_judge/coverage"] for step, found in metrics.items()}
    assert coverage == dict.fromkeys(range(4), 1.0)
    assert {found["judged/score"] for found in metrics.values()} == {1.0}
    assert "Event loop is closed" not in caplog.text
    said = caplog.text.count("opened anew at each step")
    assert said == (1 if mode == "foreground" else 0)


def test_a_builder_s_evaluator_answers_at_every_call(judge: dict[str, Any]) -> None:
    (builder,) = proctor.evaluator_builders({"evaluators": [spec(judge)]})
    evaluator = builder()
    for _ in range(4):
        metrics = run(evaluator(client()))
        assert metrics["judged/llm_judge/coverage"] == 1.0


async def test_one_event_loop_opens_its_graders_once(
    judge: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    evals = proctor.InlineEvaluations({"evaluators": [spec(judge)]}, eval_every=1)
    for step in range(3):
        await evals.step(step, sampling_client=client())
    await evals.finish()
    assert "opened anew" not in caplog.text
