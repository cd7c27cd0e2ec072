"""What is said and kept while the loop runs, and when it is interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import proctor
from proctor.evaluators.context import Progress
from proctor.sampling.budget import RequestBudget, StopSignal
from proctor.testing import Reply


async def test_stragglers_are_named(
    monkeypatch: pytest.MonkeyPatch, evaluate: Any, asked: Any
) -> None:
    monkeypatch.setattr("proctor.sampling.in_flight.STRAGGLER_SECONDS", 0.1)
    named: list[str] = []

    class Watched(Progress):
        def waiting(self, evaluator: str, stragglers: Mapping[str, float]) -> None:
            named.extend(stragglers)

    await evaluate(
        lambda prompt, _: Reply("x", seconds=2.5 if asked(prompt) == 4 else 0.0),
        progress=Watched(),
    )
    assert set(named) == {"q4"}


async def test_the_first_interrupt_stops_sending_and_keeps_what_comes_back(
    asked: Any, evaluate: Any, estimate: Any
) -> None:
    stop = StopSignal()
    sent: list[int] = []

    def script(prompt: str, index: int) -> Any:
        sent.append(asked(prompt))
        if len(sent) == 20:
            stop.set()
        return Reply(f"<{asked(prompt)}>", seconds=0.02)

    result, records, client = await evaluate(script, n=500, stop=stop, budget=RequestBudget(8))
    assert 20 <= client.requests <= 28
    assert len(records.samples) == client.requests
    assert all(record["status"] == "complete" for record in records.samples)
    assert len(records.grades) == client.requests
    assert result.details["interrupted"] is True
    assert estimate(result).examples == 500
    assert estimate(result).coverage == pytest.approx(client.requests / 500)
    assert "numbers/score" not in result.metrics, "the first rows are no sample of the dataset"


async def test_grading_overlaps_sampling(contains: Any, evaluate: Any) -> None:
    events: list[str] = []

    class Noted(contains):
        """Notes when it grades."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            events.append("grade")
            return True

    def script(prompt: str, index: int) -> Any:
        events.append("sample")
        return Reply("x", seconds=0.005)

    await evaluate(script, n=60, budget=RequestBudget(2), options={"graders": [Noted()]})
    last_sample = len(events) - 1 - events[::-1].index("sample")
    assert "grade" in events[:last_sample]


class Warned(Progress):
    """Keeps the warnings, and after how many samples each came."""

    def __init__(self) -> None:
        self.samples = 0
        self.warnings: list[tuple[int, str]] = []

    def sampled(self, evaluator: str, status: str) -> None:
        self.samples += 1

    def warn(self, evaluator: str, message: str) -> None:
        self.warnings.append((self.samples, message))


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply("no end", "stop", ends=False), "malformed"),
        (Reply("cut off", "length", ends=False), "max_tokens"),
    ],
)
async def test_a_run_whose_first_answers_all_have_no_end_says_so_at_once(
    reply: Reply, cause: str, evaluate: Any
) -> None:
    warned = Warned()
    await evaluate(lambda *_: reply, n=60, progress=warned, budget=RequestBudget(1))
    [(samples, message)] = warned.warnings
    assert samples == 20
    assert cause in message
    assert "renderer" in message


async def test_a_run_with_one_whole_answer_among_the_first_is_left_alone(
    evaluate: Any, asked: Any
) -> None:
    warned = Warned()
    await evaluate(
        lambda prompt, _: "x" if asked(prompt) == 7 else Reply("x", "length", ends=False),
        n=60,
        progress=warned,
        budget=RequestBudget(1),
    )
    assert warned.warnings == []


async def test_a_run_whose_first_requests_all_fail_says_so_at_once(evaluate: Any) -> None:
    warned = Warned()
    await evaluate(
        lambda *_: ValueError("no such model"), n=60, progress=warned, budget=RequestBudget(1)
    )
    [(samples, message)] = warned.warnings
    assert samples == 20
    assert "no such model" in message
