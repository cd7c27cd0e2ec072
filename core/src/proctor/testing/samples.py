"""Samples made by hand, and what a grader makes of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import TypeVar

from proctor.components.build import build
from proctor.grading.grader import Grader
from proctor.grading.stage import grade_pairs
from proctor.scoring.grades import GradedPair
from proctor.types import (
    Example,
    Message,
    Part,
    Sample,
    SampleStatus,
    Termination,
    TextPart,
    ThinkingPart,
)

Result = TypeVar("Result")


def make_sample(
    example: Example,
    text: str,
    *,
    reasoning: str = "",
    status: SampleStatus = "complete",
    index: int = 0,
) -> Sample:
    """An answer to an example, as if a model had given it.

    Args:
        example: The example.
        text: The answer's text.
        reasoning: The answer's thinking.
        status: Whether it is whole.
        index: Which of the example's samples it is.
    """
    content: str | list[Part] = text
    if reasoning:
        content = [
            ThinkingPart(type="thinking", thinking=reasoning),
            TextPart(type="text", text=text),
        ]
    is_whole = status == "complete"
    return Sample(
        example_id=example.id,
        index=index,
        status=status,
        messages=[*example.messages, Message(role="assistant", content=content)],
        calls=[],
        termination=Termination.STOP_SEQUENCE if is_whole else Termination.MALFORMED,
    )


def grade_answer(grader: object, example: Example, answer: str | Sample) -> GradedPair:
    """What a run would make of one answer: a grade, or the reason why there is none.

    An exception of the grader, NaN and a value outside its scale make the outcome ``ungraded``.

    Args:
        grader: A grader, its registered name, its mapping as in a config, or a plain function.
        example: What was asked.
        answer: The answer's text, or a sample.
    """
    sample = make_sample(example, answer) if isinstance(answer, str) else answer
    return run(_opened(build("grader", grader), [(example, sample)]))[0]


async def _opened(grader: Grader, pairs: Sequence[tuple[Example, Sample]]) -> list[GradedPair]:
    await grader.open()
    try:
        return await grade_pairs(grader, pairs)
    finally:
        await grader.close()


def run(coroutine: Coroutine[object, None, Result]) -> Result:
    """Runs a coroutine to its end, also from within a test that is one itself."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(asyncio.run(coroutine))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
