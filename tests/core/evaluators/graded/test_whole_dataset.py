"""What is said of a whole dataset where a limit takes some of its rows."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

import proctor
from proctor.cli.score_table import render_results


def shown(result: Any) -> str:
    file = io.StringIO()
    Console(file=file, width=200, highlight=False).print(render_results([result]))
    return file.getvalue()


@pytest.fixture
def half_right(asked: Any) -> Any:
    return lambda prompt, _: f"<{asked(prompt)}>" if asked(prompt) % 2 else "no"


async def test_a_limit_says_what_all_rows_would_score(evaluate: Any, half_right: Any) -> None:
    result, *_ = await evaluate(half_right, n=100, options={"limit": 60})
    [grader] = result.graders
    whole = grader.whole_dataset
    assert whole.rows == 100
    assert whole.score == pytest.approx(grader.estimate.score)
    wider = grader.estimate.ci_high - grader.estimate.ci_low
    assert whole.ci_high - whole.ci_low < 0.7 * wider
    assert f"score of all 100 rows {whole.score:.3f} [{whole.ci_low:.3f}" in shown(result)


@pytest.mark.parametrize(
    ("options", "offered"),
    [
        ({"limit": 60, "sampling": {"temperature": 0.7}}, False),
        ({"limit": 60, "sampling": {"temperature": 0.7}, "num_samples": 2}, True),
        ({"limit": 9}, False),
        ({"limit": 100}, False),
        ({"limit": 60, "scan": 80}, False),
        ({}, False),
    ],
    ids=["noise", "noise that is known", "too few", "all", "a part was looked at", "no limit"],
)
async def test_it_is_offered_where_it_holds(
    evaluate: Any, half_right: Any, options: dict[str, Any], offered: bool
) -> None:
    if "sampling" in options:
        options = options | {"sampling": proctor.SamplingOptions(**options["sampling"])}
    result, *_ = await evaluate(half_right, n=100, options=options)
    assert (result.graders[0].whole_dataset is not None) is offered
    assert ("score of all" in shown(result)) is offered
