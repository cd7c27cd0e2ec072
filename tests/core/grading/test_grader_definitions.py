"""What a class must say to be a grader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

import proctor
from proctor.testing import Reply, ScriptedClient


def test_a_grader_with_worst_equal_to_best_is_refused_at_definition() -> None:
    with pytest.raises(TypeError, match="worst and best are both"):

        class Flat(proctor.Grader):
            """No scale."""

            worst: ClassVar[float | None] = 1.0

            def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
                return True


def test_a_grader_without_a_method_is_refused_at_definition() -> None:
    with pytest.raises(TypeError, match="must define grade or grade_batch"):

        class Nothing(proctor.Grader):
            """Grades nothing."""


async def test_lower_is_better_and_one_to_five() -> None:
    class Errors(proctor.Grader):
        """Number of mistakes: less is better."""

        worst: ClassVar[float | None] = 1.0
        best: ClassVar[float] = 0.0

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> float:
            return 0.25

    class Likert(proctor.Grader):
        """From 1 to 5."""

        worst: ClassVar[float | None] = 1.0
        best: ClassVar[float] = 5.0

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> float:
            return 4.0

    class One(proctor.Dataset):
        """Four rows."""

        def examples(self) -> Iterator[proctor.Example]:
            for n in range(4):
                yield proctor.Example(id=str(n), input=f"<{n}>", target="x")

    evaluator = proctor.GradedEvaluator(
        name="e", dataset=One(), graders=[Errors(), Likert()], renderer="role_colon"
    )
    client = ScriptedClient(
        lambda prompt, _: Reply("cut", "length", ends=False) if "<3>" in prompt else "whole"
    )
    metrics = await evaluator(client)
    assert metrics["e/Errors/score"] == pytest.approx((3 * 0.25 + 1.0) / 4)
    assert metrics["e/Likert/score"] == pytest.approx((3 * 4.0 + 1.0) / 4)
