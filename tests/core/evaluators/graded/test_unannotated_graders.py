"""A grader that does not say whether it grades yes or no: said once, where it seems to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

import proctor
from proctor.evaluators.context import Progress
from proctor.testing import ScriptedClient


class Rows(proctor.Dataset):
    """Six questions, of which the model knows three."""

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(6):
            yield proctor.Example(id=str(number), input=f"{number}?", target=str(number % 2))


class Warnings(Progress):
    """Keeps them."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, evaluator: str, message: str) -> None:
        self.said.append(message)


async def warned(*graders: Any) -> tuple[list[str], Any]:
    progress = Warnings()
    client = ScriptedClient(lambda *_: "1")
    context = proctor.EvaluationContext.for_client(client, progress=progress)
    evaluator = proctor.GradedEvaluator(
        dataset=Rows(), graders=list(graders), renderer="role_colon"
    )
    result = await evaluator.evaluate(client, context)
    return [message for message in progress.said if "annotate" in message], result


def gives_bools(response, target):  # type: ignore[no-untyped-def]
    return response.strip() == target


def gives_0_or_1(response, target):  # type: ignore[no-untyped-def]
    return int(response.strip() == target)


def gives_numbers(response, target):  # type: ignore[no-untyped-def]
    return 1.0 if response.strip() == target else 0.5


def says_float(response: str, target: str) -> float:
    return float(response.strip() == target)


def says_bool(response: str, target: str) -> bool:
    return response.strip() == target


class Unannotated(proctor.Grader):
    """A class without an annotation."""

    def grade(self, example, sample):  # type: ignore[no-untyped-def]
        return sample.text.strip() in example.targets


class Declared(Unannotated):
    """One that declares it."""

    proportion: ClassVar[bool | None] = True


class DeclaredNumbers(Unannotated):
    """One that declares the opposite."""

    proportion: ClassVar[bool | None] = False


class UnannotatedBatch(proctor.Grader):
    """Many at once."""

    def grade_batch(self, pairs):  # type: ignore[no-untyped-def]
        return [sample.text.strip() in example.targets for example, sample in pairs]


class Raises(proctor.Grader):
    """One without any grade."""

    def grade(self, example, sample):  # type: ignore[no-untyped-def]
        raise ValueError


def called(grader: Any) -> str:
    return str(getattr(grader, "__name__", type(grader).__name__))


@pytest.mark.parametrize(
    "grader", [gives_bools, gives_0_or_1, Unannotated(), UnannotatedBatch()], ids=called
)
async def test_grades_that_are_all_0_or_1_are_said(grader: Any) -> None:
    (message,), result = await warned(grader)
    name = getattr(grader, "__name__", type(grader).__name__)
    assert message.startswith(f"{name} returns no annotated bool")
    assert "'-> bool'" in message
    # a proportion is never guessed from values
    assert not result.graders[0].estimate.pass_at_k
    assert result.graders[0].estimate.score == 0.5


@pytest.mark.parametrize(
    "grader",
    [gives_numbers, says_float, says_bool, Declared(), DeclaredNumbers(), Raises()],
    ids=called,
)
async def test_others_are_not(grader: Any) -> None:
    said, _ = await warned(grader)
    assert said == []


async def test_each_grader_is_said_by_its_name() -> None:
    said, _ = await warned(gives_bools, says_bool, Unannotated())
    assert [message.split(" returns")[0] for message in said] == ["gives_bools", "Unannotated"]


async def test_training_says_it_once(caplog: pytest.LogCaptureFixture) -> None:
    evaluator = proctor.GradedEvaluator(
        dataset=Rows(), graders=[gives_bools], renderer="role_colon"
    )
    evals = proctor.InlineEvaluations([evaluator], eval_every=1)
    answer: Callable[..., str] = lambda *_: "1"  # noqa: E731
    for step in range(3):
        await evals.step(step, sampling_client=ScriptedClient(answer))
    await evals.finish()
    assert caplog.text.count("returns no annotated bool") == 1
