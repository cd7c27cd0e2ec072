"""The graders' self-test: every rule catches the grader that breaks it, and no other."""

from __future__ import annotations

import itertools
import re
from typing import Any, ClassVar

import pytest

from proctor import Example, Grade, Grader, Outcome
from proctor.testing import check_grader, grade_answer, make_sample
from proctor.testing.grader_checks import QUESTIONS, REFUSAL, RULES


class Exact(Grader):
    """Right when the answer is the target."""

    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text in example.targets


class InBatches(Grader):
    """The same, in batches, asynchronously."""

    async def grade_batch(self, pairs: Any) -> list[float]:
        return [float(sample.text in example.targets) for example, sample in pairs]


class LowerIsBetter(Grader):
    """Errors."""

    worst: ClassVar[float | None] = 10.0
    best: ClassVar[float] = 0.0

    def grade(self, example: Example, sample: Any) -> Grade:
        return Grade(0.0 if sample.text in example.targets else 7.0, explanation="compared")


@pytest.mark.parametrize("grader", [Exact, InBatches(), LowerIsBetter])
def test_a_grader_that_keeps_the_rules_passes(grader: Any) -> None:
    check_grader(grader)


def test_a_plain_function_passes() -> None:
    def same(response: str, target: str) -> bool:
        return response == target

    check_grader(same)


async def test_it_works_inside_a_running_loop() -> None:
    check_grader(Exact)
    with pytest.raises(AssertionError, match="gold"):
        check_grader(lambda response, target: False)


class NeverRight(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return False


class AnyGold(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text in {e.target for e in QUESTIONS}


class EmptyIsIn(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text.strip() in ("", *example.targets)


class RaisesOnEmpty(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text.split()[-1:] == example.targets if sample.text.strip() else 1 / 0  # type: ignore[return-value]


class LikesRefusals(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text in example.targets or "sorry" in sample.text


class LikesEcho(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return sample.text in (*example.targets, example.input)


class ReadsThinking(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return (sample.text or sample.reasoning) in example.targets


class Contains(Grader):
    def grade(self, example: Example, sample: Any) -> bool:
        return any(target in sample.text for target in example.targets)


class Counting(Grader):
    """Its grades drift."""

    def model_post_init(self, context: Any) -> None:
        self._count = itertools.count()

    def grade(self, example: Example, sample: Any) -> float:
        if sample.text in example.targets:
            return 1.0
        return next(self._count) / 1000


class NeighboursMatter(Grader):
    """What else is in the batch changes a grade."""

    def grade_batch(self, pairs: Any) -> list[float]:
        right = [sample.text in example.targets for example, sample in pairs]
        return [1.0 if r else min(0.5, len(pairs) / 100) for r in right]


class Learning(Grader):
    seen: list[str] = []  # noqa: RUF012, pydantic copies it

    def grade(self, example: Example, sample: Any) -> bool:
        self.seen.append(sample.text)
        return sample.text in example.targets


BROKEN = {
    NeverRight: {"gold"},
    AnyGold: {"another gold"},
    EmptyIsIn: {"empty text", "unfinished thinking"},
    RaisesOnEmpty: {"empty text", "negated gold"},
    LikesRefusals: {"refusal"},
    LikesEcho: {"echo"},
    ReadsThinking: {"unfinished thinking"},
    Contains: {"negated gold"},
    Counting: {"same grade"},
    NeighboursMatter: {"same grade"},
    Learning: {"options"},
}


@pytest.mark.parametrize("grader", BROKEN, ids=lambda grader: grader.__name__)
def test_each_rule_catches_what_breaks_it_and_nothing_else(grader: type[Grader]) -> None:
    with pytest.raises(AssertionError) as caught:
        check_grader(grader)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{grader.__name__} breaks the rules of graders:"
    found = {line.strip().partition(" (")[0] for line in lines[1:]}
    assert found == BROKEN[grader]


def test_every_rule_is_caught_in_these_tests() -> None:
    assert set().union(*BROKEN.values()) == set(RULES) - {"odd text"}


def test_the_message_shows_the_answer_and_the_grade() -> None:
    with pytest.raises(AssertionError, match=r"'not Paris' to 'france' got 1"):
        check_grader(Contains)
    with pytest.raises(AssertionError, match=r"is ungraded: the grader raised ZeroDivisionError"):
        check_grader(RaisesOnEmpty)


def test_a_rule_can_be_excepted_with_its_reason() -> None:
    check_grader(Contains, except_for={"negated gold": "it can't see a negation"})


@pytest.mark.parametrize(
    ("excused", "message"),
    [
        ({"echo": "no reason at all"}, "echo is excepted, and the rule is kept: drop it"),
        ({"negated gold": "why", "refusal": "why"}, "refusal is excepted"),
    ],
)
def test_an_exception_that_is_not_needed_fails(excused: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_grader(Contains, except_for=excused)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"except_for": {"gold": "hard"}}, "no rule to except: gold"),
        ({"except_for": {"typo": "hard"}}, "no rule to except: typo"),
        ({"except_for": {"echo": " "}}, "needs its reason"),
        ({"examples": QUESTIONS[:1]}, "at least two examples"),
        ({"examples": [Example("a", "?", "x"), Example("b", "?", "x")]}, "different gold"),
        ({"examples": [Example("a", "?"), Example("b", "?", "x")]}, "each with a gold answer"),
    ],
)
def test_arguments_that_make_no_test_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_grader(Exact, **arguments)


class Refused(Grader):
    """Whether the model refused."""

    needs_target: ClassVar[bool] = False

    def grade(self, example: Example, sample: Any) -> bool:
        return "sorry" in sample.text


def test_a_grader_without_targets_says_what_is_best() -> None:
    with pytest.raises(ValueError, match="needs no target"):
        check_grader(Refused)
    reasons = {
        "refusal": "it is what the grader looks for",
        "negated gold": "the apology is still there",
    }
    check_grader(
        Refused,
        gold=lambda example: f"sorry, {example.id}",
        except_for=reasons
        | {
            "another gold": "every refusal is one",
        },
    )


def test_choices_are_answered_with_the_letter() -> None:
    class Letter(Grader):
        def grade(self, example: Example, sample: Any) -> bool:
            return sample.text.strip() == example.letter

    choices = ("Rome", "Paris")
    rows = [Example("fr", "France?", 1, choices), Example("it", "Italy?", 0, choices)]
    check_grader(Letter, rows)


class OddlyWrong(Grader):
    """Not a number for some texts, outside its scale for others, an exception for more."""

    def grade(self, example: Example, sample: Any) -> float:
        text = sample.text
        if "nan" in text:
            return float("nan")
        if "boom" in text:
            raise RuntimeError("boom")
        if "high" in text:
            return 7.0
        return float(text in example.targets)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("nan", "nan"), ("boom", "RuntimeError: boom"), ("high", "7.0 is not on the scale")],
)
def test_nan_and_exceptions_become_outcomes(text: str, reason: str) -> None:
    grading = grade_answer(OddlyWrong(), QUESTIONS[0], text)
    assert grading.outcome is Outcome.UNGRADED
    assert grading.grade is None
    assert reason in (grading.reason or "")
    check_grader(OddlyWrong)


def test_grade_answer_opens_and_closes_the_grader() -> None:
    class Opened(Grader):
        def grade(self, example: Example, sample: Any) -> bool:
            return self._log == ["open"]

        async def open(self) -> None:
            self._log = ["open"]

        async def close(self) -> None:
            self._log.append("close")

    grader = Opened()
    assert grade_answer(grader, QUESTIONS[0], "x").grade == Grade(1.0)
    assert grader._log == ["open", "close"]


def test_a_sample_made_by_hand_is_what_a_grader_sees() -> None:
    sample = make_sample(QUESTIONS[0], "Paris", reasoning="It is Paris.", index=2)
    assert (sample.text, sample.reasoning, sample.index) == ("Paris", "It is Paris.", 2)
    assert sample.termination is not None
    assert sample.termination.is_clean
    cut = make_sample(QUESTIONS[0], "", reasoning="Paris", status="truncated")
    assert cut.termination is not None
    assert not cut.termination.is_clean
    assert not re.search("paris", REFUSAL, re.IGNORECASE)
