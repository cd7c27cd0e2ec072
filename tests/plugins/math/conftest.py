"""What the tests of the math grader share: many pairs, graded in one pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

import proctor
from proctor.testing import GradedPair, make_sample
from proctor_math.grader import Math


def graded(pairs: Sequence[tuple[str | list[str], str]]) -> list[GradedPair]:
    examples = [
        proctor.Example(id=str(number), input="?", target=target)
        for number, (target, _) in enumerate(pairs)
    ]
    samples = [
        make_sample(example, answer) for example, (_, answer) in zip(examples, pairs, strict=True)
    ]
    return asyncio.run(proctor.grade_pairs(Math(), list(zip(examples, samples, strict=True))))


@pytest.fixture(scope="session")
def grade_all() -> Callable[[Sequence[tuple[str | list[str], str]]], list[GradedPair]]:
    """What the grader makes of pairs of target and answer."""
    return graded
