"""Grading: whatever a grader does becomes an outcome, and costs nobody else's grade."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

import proctor
from proctor.grading.stage import GradingStage
from proctor.scoring.grades import GradedPair
from proctor.scoring.ledger import Ledger, LedgerColumn


def pair(number: int) -> tuple[proctor.Example, proctor.Sample]:
    example = proctor.Example(id=f"e{number}", input="?", target=str(number))
    sample = proctor.Sample(
        example_id=example.id,
        index=0,
        status="complete",
        messages=[
            proctor.Message(role="user", content="?"),
            proctor.Message(role="assistant", content=str(number)),
        ],
        calls=[],
    )
    return example, sample


async def grade(grader: proctor.Grader, n: int = 10) -> dict[int, GradedPair]:
    graded: dict[int, GradedPair] = {}
    stage = GradingStage(grader, lambda ticket, result: graded.__setitem__(ticket, result))

    async def feed() -> None:
        for number in range(n):
            await stage.put(number, pair(number))
        await stage.finish()

    await asyncio.gather(feed(), stage.run())
    assert sorted(graded) == list(range(n))
    return graded


def values(graded: dict[int, GradedPair]) -> list[float | None]:
    return [graded[n].grade.value if graded[n].grade else None for n in sorted(graded)]


def number_of(sample: proctor.Sample) -> int:
    return int(sample.text)


class Each(proctor.Grader):
    """Even numbers are right."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return number_of(sample) % 2 == 0


class EachAsync(proctor.Grader):
    """Even numbers are right, after a while."""

    async def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        await asyncio.sleep(0.001 * (number_of(sample) % 3))
        return number_of(sample) % 2 == 0


class InBatches(proctor.Grader):
    """Even numbers are right, several at once."""

    batch_size: ClassVar[int] = 4

    def grade_batch(self, pairs: Sequence[tuple[proctor.Example, proctor.Sample]]) -> list[bool]:
        return [number_of(sample) % 2 == 0 for _, sample in pairs]


class InAsyncBatches(proctor.Grader):
    """Even numbers are right, several at once, after a while."""

    async def grade_batch(
        self, pairs: Sequence[tuple[proctor.Example, proctor.Sample]]
    ) -> list[bool]:
        await asyncio.sleep(0)
        return [number_of(sample) % 2 == 0 for _, sample in pairs]


@pytest.mark.parametrize("grader", [Each(), EachAsync(), InBatches(), InAsyncBatches()])
async def test_every_kind_of_grader_grades_every_pair(grader: proctor.Grader) -> None:
    assert values(await grade(grader, 200)) == [float(n % 2 == 0) for n in range(200)]


async def test_batches_are_no_larger_than_the_grader_says_and_not_all_of_one() -> None:
    sizes: list[int] = []

    class Sized(InBatches):
        """Notes its batches."""

        def grade_batch(self, pairs: Any) -> list[bool]:
            sizes.append(len(pairs))
            time.sleep(0.002)
            return [True for _ in pairs]

    await grade(Sized(), 100)
    assert max(sizes) == 4
    assert sum(sizes) == 100
    assert len(sizes) < 60


async def test_synchronous_graders_leave_the_event_loops_thread_alone() -> None:
    threads: set[int] = set()

    class Where(Each):
        """Notes where it runs."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            threads.add(threading.get_ident())
            return True

    await grade(Where())
    assert threading.get_ident() not in threads


@pytest.mark.parametrize(
    "bad",
    [math.nan, math.inf, 1.5, -0.1, "C", None, proctor.Grade(2.0), proctor.Grade(math.nan)],
)
async def test_a_value_that_is_not_on_the_scale_is_ungraded(bad: Any) -> None:
    class Off(proctor.Grader):
        """Gives one bad value."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> Any:
            return bad if number_of(sample) == 3 else 0.5

    graded = await grade(Off())
    assert values(graded) == [0.5] * 3 + [None] + [0.5] * 6
    assert graded[3].outcome == "ungraded"
    assert "not on the scale" in (graded[3].reason or "")


async def test_a_grader_that_raises_for_one_row_in_a_thousand() -> None:
    class Rarely(Each):
        """Raises for one row."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            if number_of(sample) == 777:
                raise KeyError("subject")
            return True

    graded = await grade(Rarely(), 1000)
    assert values(graded).count(None) == 1
    assert graded[777].outcome == "ungraded"
    assert graded[777].reason == "the grader raised KeyError: 'subject'"


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_batch_that_fails_costs_only_the_row_that_fails(is_async: bool) -> None:
    def judge(pairs: Any) -> list[bool]:
        if any(number_of(sample) == 5 for _, sample in pairs):
            raise ValueError("five")
        return [True for _ in pairs]

    class Sync(proctor.Grader):
        """Fails on a batch with a five in it."""

        def grade_batch(self, pairs: Any) -> list[bool]:
            return judge(pairs)

    class Async(proctor.Grader):
        """Fails on a batch with a five in it."""

        async def grade_batch(self, pairs: Any) -> list[bool]:
            return judge(pairs)

    graded = await grade(Async() if is_async else Sync(), 20)
    assert [n for n in range(20) if graded[n].grade is None] == [5]


async def test_a_batch_with_too_few_verdicts_is_never_shifted() -> None:
    class Short(proctor.Grader):
        """Forgets one verdict of several."""

        def grade_batch(self, pairs: Any) -> list[float]:
            verdicts = [number_of(sample) / 100 for _, sample in pairs]
            return verdicts[:-1] if len(verdicts) > 1 else verdicts

    assert values(await grade(Short(), 20)) == [n / 100 for n in range(20)]


@pytest.mark.parametrize("kind", ["sync", "async", "batch"])
async def test_a_grader_that_hangs_loses_its_own_row_only(kind: str) -> None:
    release = threading.Event()

    class Sync(Each):
        """Hangs on one row."""

        grading_timeout: ClassVar[float] = 0.3

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            if number_of(sample) == 4:
                release.wait(60)
            return True

    class Async(proctor.Grader):
        """Hangs on one row."""

        grading_timeout: ClassVar[float] = 0.3

        async def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            if number_of(sample) == 4:
                await asyncio.Event().wait()
            return True

    class Batch(proctor.Grader):
        """Hangs on one row; batches of one."""

        grading_timeout: ClassVar[float] = 0.3
        batch_size: ClassVar[int] = 1

        def grade_batch(self, pairs: Any) -> list[bool]:
            if number_of(pairs[0][1]) == 4:
                release.wait(60)
            return [True]

    graded = await grade({"sync": Sync(), "async": Async(), "batch": Batch()}[kind])
    release.set()
    assert [n for n in range(10) if graded[n].grade is None] == [4]
    assert "no verdict within 0.3 s" in (graded[4].reason or "")


@pytest.mark.parametrize("kind", ["sync", "async", "batch", "async batch"])
@pytest.mark.parametrize(
    ("error", "failures", "calls_made"),
    [
        (proctor.TransientError("busy"), 2, 3),
        (proctor.TransientError("busy"), 9, 3),
        (ValueError("no number"), 9, 1),
    ],
)
async def test_a_transient_error_is_tried_again(
    kind: str, error: Exception, failures: int, calls_made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proctor.grading.attempts.FIRST_PAUSE", 0.001)
    calls: dict[int, int] = {}

    def verdict(sample: proctor.Sample) -> bool:
        number = number_of(sample)
        calls[number] = calls.get(number, 0) + 1
        if calls[number] <= failures:
            raise error
        return True

    class Sync(proctor.Grader):
        """Fails for each row."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return verdict(sample)

    class Async(proctor.Grader):
        """Fails for each row."""

        async def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
            return verdict(sample)

    class Batch(proctor.Grader):
        """Fails for each row."""

        batch_size: ClassVar[int] = 1

        def grade_batch(self, pairs: Sequence[Any]) -> list[bool]:
            return [verdict(sample) for _, sample in pairs]

    class AsyncBatch(proctor.Grader):
        """Fails for each row."""

        batch_size: ClassVar[int] = 1

        async def grade_batch(self, pairs: Sequence[Any]) -> list[bool]:
            return [verdict(sample) for _, sample in pairs]

    grader = {"sync": Sync, "async": Async, "batch": Batch, "async batch": AsyncBatch}[kind]()
    graded = await grade(grader, 3)
    assert set(calls.values()) == {calls_made}
    if failures < calls_made:
        assert values(graded) == [1.0] * 3
    else:
        assert values(graded) == [None] * 3
        assert all(str(error) in (grading.reason or "") for grading in graded.values())


async def test_a_batch_that_fails_is_not_tried_again_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proctor.grading.attempts.FIRST_PAUSE", 0.001)
    sizes: list[int] = []

    class Batch(proctor.Grader):
        """Fails for more than one row at once."""

        batch_size: ClassVar[int] = 4

        def grade_batch(self, pairs: Sequence[Any]) -> list[bool]:
            sizes.append(len(pairs))
            if len(pairs) > 1:
                raise proctor.TransientError("too much at once")
            return [True]

    pairs = [pair(number) for number in range(4)]
    gradings = await proctor.grade_pairs(Batch(), pairs)
    assert all(grading.grade for grading in gradings)
    assert sizes == [4, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "verdict",
    [
        True,
        False,
        0,
        1,
        0.5,
        -0.1,
        1.1,
        math.nan,
        math.inf,
        None,
        "1",
        proctor.Grade(0.25),
        10**400,
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("worst", "best", "proportion"),
    [(0.0, 1.0, False), (0.0, 1.0, True), (1.0, 0.0, False), (None, 1.0, True), (None, 5.0, False)],
)
async def test_a_grade_is_one_exactly_where_the_ledger_takes_it(
    verdict: Any, worst: float | None, best: float, proportion: bool
) -> None:
    """What is in the records is what is in the score."""

    class Given(proctor.Grader):
        """Gives the verdict."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> Any:
            return verdict

    scale = {"worst": worst, "best": best, "proportion": proportion}
    grader = type("Scaled", (Given,), {"__doc__": "Gives the verdict.", **scale})()
    (grading,) = await proctor.grade_pairs(grader, [pair(1)])
    ledger = Ledger([LedgerColumn("g", worst, best, proportion)])
    outcome = ledger.record(ledger.add_example(), 0, "g", proctor.Outcome.GRADED, verdict)
    assert outcome is grading.outcome
    if grading.grade is not None:
        assert ledger.estimate("g").score == grading.grade.value


@pytest.mark.parametrize("field", ["type", "name", "open", "version", "scale", "json"])
def test_an_option_that_a_config_could_not_set_is_refused_at_definition(field: str) -> None:
    with pytest.raises((TypeError, NameError), match=field):
        type(
            "Bad",
            (Each,),
            {"__module__": "house", "__annotations__": {field: str}, field: "x", "__doc__": "x"},
        )


def test_a_proportion_is_a_grader_annotated_so_and_never_guessed() -> None:
    class Floats(proctor.Grader):
        """Only 0 and 1, but not by annotation."""

        def grade(self, example: proctor.Example, sample: proctor.Sample) -> float:
            return 1.0

    assert Each().is_proportion
    assert EachAsync().is_proportion
    assert InBatches().is_proportion
    assert not Floats().is_proportion
