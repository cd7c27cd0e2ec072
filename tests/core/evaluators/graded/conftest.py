"""An evaluator of questions with numbers, and the sampling loop over it with a scripted client."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import proctor
from proctor.testing import ScriptedClient


class Numbers(proctor.Dataset):
    """Questions with a number in them; the target is the number."""

    n: int = 10

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(id=f"q{number}", input=f"Say <{number}>.", target=f"<{number}>")


class Contains(proctor.Grader):
    """Correct when the answer holds the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return example.targets[0] in sample.text


class Records:
    """Keeps what a run would write."""

    def __init__(self) -> None:
        self.samples: list[Mapping[str, Any]] = []
        self.grades: list[Mapping[str, Any]] = []

    def sample(self, record: Mapping[str, Any]) -> None:
        self.samples.append(record)

    def grade(self, record: Mapping[str, Any]) -> None:
        self.grades.append(record)

    def image(self, image: proctor.Image) -> None:
        """Keeps none."""


def _asked(prompt: str) -> int:
    return int(re.findall(r"<(\d+)>", prompt)[-1])


def _evaluator(n: int = 10, **options: Any) -> proctor.GradedEvaluator:
    graders = options.pop("graders", [Contains()])
    return proctor.GradedEvaluator(
        name="numbers", dataset=Numbers(n=n), graders=graders, renderer="role_colon", **options
    )


async def _evaluate(
    script: Callable[[str, int], Any], n: int = 10, client: Any = None, **settings: Any
) -> tuple[Any, Records, ScriptedClient]:
    options = settings.pop("options", {})
    client = client or ScriptedClient(script)
    records = Records()
    context = proctor.EvaluationContext.for_client(
        client, **{"request_timeout": 5.0, "sink": records, **settings}
    )
    return await _evaluator(n, **options).evaluate(client, context), records, client


def _estimate(result: Any, index: int = 0) -> Any:
    return result.graders[index].estimate


@pytest.fixture
def asked() -> Callable[[str], int]:
    """Which question a prompt asks."""
    return _asked


@pytest.fixture
def number_questions() -> type[Numbers]:
    """The dataset's class."""
    return Numbers


@pytest.fixture
def contains() -> type[Contains]:
    """The grader's class."""
    return Contains


@pytest.fixture
def new_records() -> type[Records]:
    """Makes a sink that keeps what it gets."""
    return Records


@pytest.fixture
def evaluator() -> Callable[..., proctor.GradedEvaluator]:
    """Makes the evaluator ``numbers``."""
    return _evaluator


@pytest.fixture
def evaluate() -> Callable[..., Any]:
    """Runs it with a script for answers; gives the result, what was recorded, and the client."""
    return _evaluate


@pytest.fixture
def estimate() -> Callable[..., Any]:
    """The estimate of one of a result's graders."""
    return _estimate
