"""What the score makes of failed, hung, truncated and senseless answers."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pytest

from proctor.sampling.budget import RequestBudget
from proctor.testing import Hang, Reply, ScriptedClient


async def test_the_ledger_equals_the_truth(asked: Any, evaluate: Any, estimate: Any) -> None:
    """A client that fails, hangs, truncates and talks nonsense for known shares of rows."""
    kinds = ["right"] * 40 + ["wrong"] * 30 + ["fail"] * 4 + ["hang"] * 3 + ["cut"] * 12
    kinds += ["junk"] * 11
    random.Random(7).shuffle(kinds)

    def script(prompt: str, index: int) -> Any:
        number = asked(prompt)
        return {
            "right": f"It is <{number}>.",
            "wrong": "It is <-1>.",
            "fail": ValueError("the server said no"),
            "hang": Hang(heeds_cancellation=number % 2 == 0),
            "cut": Reply(f"I think <{number}> might", "length", ends=False),
            "junk": Reply(f"<{number}> and no end", "stop", ends=False),
        }[kinds[number]]

    result, records, _ = await evaluate(
        script, n=100, request_timeout=0.5, min_coverage=0.93, budget=RequestBudget(16)
    )
    found = estimate(result)
    assert {str(o): c for o, c in found.counts.items()} == {
        "graded": 70,
        "truncated": 12,
        "malformed": 11,
        "ungraded": 0,
        "failed": 7,
    }
    assert found.coverage == pytest.approx(0.93)
    assert found.score == pytest.approx(40 / 93)
    assert found.bounds == (pytest.approx(40 / 100), pytest.approx(47 / 100))
    assert found.score_complete == pytest.approx(40 / 70)
    assert result.metrics["numbers/score"] == pytest.approx(40 / 93)
    by_id = {record["example"]: record for record in records.samples}
    assert len(by_id) == len(records.samples) == 100
    status = {"right": "complete", "wrong": "complete", "fail": "failed", "hang": "failed"}
    status |= {"cut": "truncated", "junk": "malformed"}
    assert {n: by_id[f"q{n}"]["status"] for n in range(100)} == {
        n: status[kind] for n, kind in enumerate(kinds)
    }
    assert len(records.grades) == 100
    hung = [by_id[f"q{n}"]["error"] for n, kind in enumerate(kinds) if kind == "hang"]
    assert all("no answer within" in reason for reason in hung)


@pytest.mark.parametrize(("failures", "withheld"), [(5, False), (6, True), (100, True)])
async def test_the_headline_is_withheld_exactly_under_min_coverage(
    failures: int, withheld: bool, asked: Any, evaluate: Any
) -> None:
    """Story 2: half the requests failed and accuracy was 1.0; all failed and nothing was said."""

    def script(prompt: str, index: int) -> Any:
        number = asked(prompt)
        return ValueError("no") if number < failures else f"<{number}>"

    result, _, _ = await evaluate(script, n=100)
    assert ("numbers/score" not in result.metrics) is withheld
    assert ("numbers/Contains/score" not in result.metrics) is withheld
    assert result.metrics["numbers/Contains/coverage"] == pytest.approx(1 - failures / 100)
    assert result.metrics["numbers/Contains/failed"] == failures
    assert (result.withheld is not None) is withheld


async def test_unfinished_reasoning_that_holds_the_target_is_worth_the_worst(
    evaluate: Any, asked: Any
) -> None:
    """Story 1: a thinking model ran out of tokens, and its scratchpad scored 1.0."""
    result, _, _ = await evaluate(
        lambda prompt, _: Reply(f"<{asked(prompt)}>", "length", ends=False)
    )
    assert result.metrics["numbers/score"] == 0.0
    assert result.metrics["numbers/Contains/truncated"] == 10


async def test_a_grader_may_opt_in_to_truncated_answers(
    contains: Any, evaluate: Any, asked: Any, estimate: Any
) -> None:
    class Lenient(contains):
        """Sees truncated answers."""

        sees_truncated: ClassVar[bool] = True

    result, records, _ = await evaluate(
        lambda prompt, _: Reply(f"<{asked(prompt)}>", "length", ends=False),
        options={"graders": [Lenient(), contains()]},
    )
    assert [estimate(result, i).score for i in (0, 1)] == [1.0, 0.0]
    assert result.metrics["numbers/Lenient/truncated"] == 10
    assert {grade["outcome"] for grade in records.grades} == {"truncated"}


async def test_too_few_answers_to_a_request_are_failed_samples(
    asked: Any, evaluate: Any, estimate: Any
) -> None:
    class Short(ScriptedClient):
        """Gives one answer, whatever was asked for."""

        def sample(self, prompt: Any, num_samples: int, sampling_params: Any, **_: Any) -> Any:
            return super().sample(prompt, 1, sampling_params)

    client = Short(lambda prompt, _: f"<{asked(prompt)}>")
    result, _, _ = await evaluate(
        lambda *_: "", n=5, client=client, options={"num_samples": 3, "min_coverage": 0.0}
    )
    assert estimate(result).counts["failed"] == 10
    assert estimate(result).score == 1.0


@pytest.mark.parametrize("response", [None, "text", object()])
async def test_a_response_that_makes_no_sense_is_a_failed_sample(
    response: Any, evaluate: Any
) -> None:
    class Odd(ScriptedClient):
        """Answers with something else than a response."""

        async def _respond(self, prompt: str, num_samples: int) -> Any:
            return response

    result, records, _ = await evaluate(lambda *_: "", n=2, client=Odd(lambda *_: ""))
    assert result.metrics["numbers/Contains/failed"] == 2
    assert "response can't be read" in records.samples[0]["error"]


async def test_the_result_does_not_depend_on_the_order_of_arrival(
    asked: Any, evaluate: Any
) -> None:
    async def run(shuffled: bool) -> Any:
        generator = random.Random(3)

        def script(prompt: str, index: int) -> Any:
            number = asked(prompt)
            seconds = generator.random() * 0.02 if shuffled else 0.0
            return Reply(f"<{number}>" if number % 3 else "no", seconds=seconds)

        result, _, _ = await evaluate(script, n=50, options={"num_samples": 2})
        return dict(result.metrics)

    assert await run(False) == await run(True)
