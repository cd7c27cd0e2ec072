"""What the tests of the text graders share: one answer to one row, graded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proctor import Example, Grade, Grader, Message, Sample


def an_example(target=None, choices=None) -> Example:
    return Example(
        id="row", input="Which?", target=target, choices=tuple(choices) if choices else None
    )


def a_sample(text: str) -> Sample:
    return Sample("row", 0, "complete", [Message(role="assistant", content=text)], [])


@pytest.fixture
def check() -> Callable[..., None]:
    """Runs a grader's look at a row: ``check(grader, target, choices=None)``."""

    def run(grader: Grader, target, choices=None) -> None:
        grader.check_example(an_example(target, choices))

    return run


@pytest.fixture
def grade() -> Callable[..., Grade]:
    """Grades one answer: ``grade(grader, text, target, choices=None)``."""

    def run(grader: Grader, text: str, target, choices=None) -> Grade:
        example = an_example(target, choices)
        grader.check_example(example)
        result = grader.grade(example, a_sample(text))
        assert isinstance(result, Grade)
        assert result.explanation
        assert "\n" not in result.explanation
        return result

    return run


@pytest.fixture
def is_right(grade) -> Callable[..., bool]:
    """Whether an answer gets the best grade; any grade but best and worst fails the test."""

    def run(grader: Grader, text: str, target, choices=None) -> bool:
        value = grade(grader, text, target, choices).value
        assert value in (grader.worst, grader.best)
        return value == grader.best

    return run


@pytest.fixture
def read() -> Callable[..., str | None]:
    """What maj@k compares: ``read(grader, text, target=None, choices=None)``."""

    def run(grader: Grader, text: str, target=None, choices=None) -> str | None:
        return grader.extract_answer(an_example(target, choices), a_sample(text))

    return run
