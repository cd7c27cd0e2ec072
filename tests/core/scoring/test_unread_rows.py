"""A stream that was not read to its end has no headline: nobody knows what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import proctor
from proctor.sampling.budget import RequestBudget, StopSignal
from proctor.scoring.results import EvaluationResult
from proctor.testing import Reply, ScriptedClient


class Stream(proctor.Dataset):
    """Rows that nothing counts before they are asked about."""

    is_cheap_to_read: ClassVar[bool] = False
    n: int

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            metadata = {"half": str(number % 2)}
            yield proctor.Example(
                id=f"q{number}", input="Say yes.", target="yes", metadata=metadata
            )


def says_yes(response: str, target: str) -> bool:
    """Whether the answer is the target."""
    return target in response


async def evaluated(n: int, stop_after: int | None, seconds: float = 0.0) -> EvaluationResult:
    stop, asked = StopSignal(), []

    def script(prompt: str, index: int) -> Reply:
        asked.append(prompt)
        if len(asked) == stop_after:
            stop.set()
        return Reply("yes", seconds=seconds)

    client = ScriptedClient(script)
    context = proctor.EvaluationContext.for_client(client, stop=stop, budget=RequestBudget(4))
    evaluator = proctor.GradedEvaluator(
        name="stream",
        dataset=Stream(n=n),
        graders=[says_yes],
        renderer="role_colon",
        by=["metadata.half"],
    )
    return await evaluator.evaluate(client, context)


async def test_a_stream_that_was_stopped_has_no_headline() -> None:
    result = await evaluated(2000, 150)
    assert result.details["interrupted"] is True
    assert result.details["unread"] is True
    assert result.withheld is not None
    assert "stopped before all rows were read" in result.withheld
    assert not [name for name in result.metrics if name.endswith(("/score", "/ci_low", "/stderr"))]
    (grader,) = result.graders
    assert 0 < grader.estimate.examples < 2000
    assert grader.estimate.bounds is None
    assert all(group.unread for group in grader.groups["metadata.half"].values())


async def test_a_stream_that_was_read_to_its_end_has_one() -> None:
    result = await evaluated(60, None)
    assert result.details["unread"] is False
    assert result.withheld is None
    assert result.metrics["stream/score"] == 1.0


async def test_a_stop_after_the_last_row_was_read_is_as_of_rows_that_are_counted() -> None:
    """All rows are known: the coverage says what is missing."""
    # The rows' end is met while the first four answers are awaited.
    result = await evaluated(6, 6, seconds=0.5)
    assert result.details["interrupted"] is True
    assert result.details["unread"] is False
    (grader,) = result.graders
    assert grader.estimate.examples == 6
    assert "stopped" not in (result.withheld or "")
