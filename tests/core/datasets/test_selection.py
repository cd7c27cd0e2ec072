from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import Field

import proctor
import proctor.datasets.selection
from proctor.components.build import build
from proctor.datasets.selection import select
from proctor.evaluators.graded_run import GradedRun
from proctor.hashing import HashCounter, hash64


class Rows(proctor.Dataset):
    """Rows with strata."""

    sizes: dict[str, int] = Field(default={"": 100})
    duplicate_at: int | None = None
    cheap: bool = True
    passes: ClassVar[list[int]] = []

    def examples(self) -> Iterator[proctor.Example]:
        Rows.passes.append(0)
        position = 0
        for stratum, size in self.sizes.items():
            for number in range(size):
                name = f"{stratum}{number}" if position != self.duplicate_at else f"{stratum}0"
                metadata = {"stratum": stratum} if stratum else {}
                Rows.passes[-1] += 1
                yield proctor.Example(id=name, input=name, target="t", metadata=metadata)
                position += 1


class Streamed(Rows):
    """Rows that are dear to read."""

    is_cheap_to_read: ClassVar[bool] = False


class Any_(proctor.Grader):
    """Anything goes."""

    needs_target: ClassVar[bool] = False

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return True


def ids(dataset: proctor.Dataset, **options: int) -> list[str]:
    return [example.id for _, example in select(dataset, [Any_()], **options).rows()]


def test_without_a_limit_every_row_comes_in_order() -> None:
    assert ids(Rows(sizes={"": 5})) == ["0", "1", "2", "3", "4"]


def test_a_limit_is_not_the_first_rows() -> None:
    assert ids(Rows(), limit=20) != [str(n) for n in range(20)]


def test_a_limit_gives_each_stratum_its_share() -> None:
    """Story 7: the first 100 rows were one category."""
    sizes = {"law": 500, "math": 300, "art": 200}
    chosen = Counter(name.rstrip("0123456789") for name in ids(Rows(sizes=sizes), limit=100))
    assert chosen == {"law": 50, "math": 30, "art": 20}


@pytest.mark.parametrize("sizes", [{"": 97}, {"a": 61, "b": 17, "c": 3, "d": 1}, {"a": 10, "": 9}])
def test_a_smaller_limit_is_a_subset_of_a_larger_one(sizes: dict[str, int]) -> None:
    total = sum(sizes.values())
    before: set[str] = set()
    for limit in range(1, total + 2):
        now = set(ids(Rows(sizes=sizes), limit=limit))
        assert len(now) == min(limit, total)
        assert before <= now
        before = now


def test_the_subset_is_the_same_each_time_and_another_for_another_seed() -> None:
    assert ids(Rows(), limit=10, seed=1) == ids(Rows(), limit=10, seed=1)
    assert ids(Rows(), limit=10, seed=1) != ids(Rows(), limit=10, seed=2)


def test_the_subset_does_not_depend_on_the_order_of_the_rows() -> None:
    class Reversed(Rows):
        """The rows, last first."""

        def examples(self) -> Iterator[proctor.Example]:
            return iter(list(super().examples())[::-1])

    assert set(ids(Rows(), limit=10)) == set(ids(Reversed(), limit=10))


def test_chosen_rows_come_in_dataset_order() -> None:
    positions = [position for position, _ in select(Rows(), [Any_()], limit=10).rows()]
    assert positions == sorted(positions)


def test_rows_without_a_stratum_are_a_stratum() -> None:
    chosen = ids(Rows(sizes={"law": 50, "": 50}), limit=10)
    assert sum(name.startswith("law") for name in chosen) == 5


def test_a_limit_takes_one_pass() -> None:
    Rows.passes.clear()
    list(select(Rows(), [Any_()], limit=10).rows())
    assert Rows.passes == [100]


def test_scan_looks_at_so_many_rows_only_and_says_so() -> None:
    Rows.passes.clear()
    selection = select(Rows(), [Any_()], limit=5, scan=10)
    assert {int(example.id) for _, example in selection.rows()} <= set(range(10))
    assert selection.scanned == 10
    assert sum(Rows.passes) <= 11


def test_a_duplicate_id_is_found_before_anything_is_sampled() -> None:
    with pytest.raises(proctor.DatasetError, match=r"'0' stands in row 1 and in row 41"):
        select(Rows(duplicate_at=40), [Any_()])


def test_a_duplicate_id_far_down_ends_a_stream_when_it_is_met() -> None:
    rows = select(Streamed(sizes={"": 900_001}, duplicate_at=900_000), [Any_()]).rows()
    assert sum(1 for _ in islice(rows, 900_000)) == 900_000
    with pytest.raises(proctor.DatasetError, match=r"row 1 and in row 900001"):
        next(rows)


def test_equal_hashes_of_different_ids_are_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    def weak(*parts: object) -> int:
        return hash64(*parts) % 7

    monkeypatch.setattr(proctor.datasets.selection, "hash64", weak)
    assert len(ids(Rows(sizes={"": 50}))) == 50
    with pytest.raises(proctor.DatasetError, match="'0' stands in row 1"):
        select(Rows(duplicate_at=40), [Any_()])


def test_an_empty_dataset_is_an_error_also_as_a_stream() -> None:
    with pytest.raises(proctor.DatasetError, match="empty"):
        select(Rows(sizes={"": 0}), [Any_()])
    with pytest.raises(proctor.DatasetError, match="empty"):
        list(select(Streamed(sizes={"": 0}), [Any_()]).rows())


def test_the_hash_counter_counts() -> None:
    counter = HashCounter()
    values = [hash64("row", n % 3000) for n in range(10_000)] + [0, 0, 1, 1024, 2048, 1024]
    truth: Counter[int] = Counter()
    for value in values:
        assert counter.add(value) == truth[value]
        truth[value] += 1
    assert len(counter) == len(truth)


class Unusable(proctor.Dataset):
    """One good row, then one that no prompt can be made of."""

    bad: Any

    def examples(self) -> Iterator[proctor.Example]:
        yield proctor.Example(id="good", input="Which?", target="yes")
        yield self.bad


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"input": "Which?", "choices": ("a", "b"), "target": 2}, "2 choices and the target 2"),
        (
            {"input": "Which?", "choices": tuple(map(str, range(27))), "target": 2},
            "27 choices, and there are 26 letters",
        ),
        ({"input": []}, "has no messages"),
        ({"input": [{"role": "system", "content": "Hi."}]}, "a system message of its own"),
    ],
)
@pytest.mark.parametrize("limit", [None, 1])
async def test_a_row_that_no_prompt_can_be_made_of_is_met_before_the_model(
    row: dict[str, Any], reason: str, limit: int | None
) -> None:
    """They ended an evaluation that had begun, some of them as an IndexError."""
    bad = proctor.Example(**{"id": "bad", "target": "yes", **row})
    evaluator = proctor.GradedEvaluator(
        dataset=Unusable(bad=bad), graders=[Any_()], system="Be brief.", limit=limit
    )
    with pytest.raises(proctor.DatasetError, match=reason):
        await GradedRun(evaluator, proctor.EvaluationContext()).prepare()


def test_a_null_stratum_is_none() -> None:
    """Rows whose stratum is null and rows without one were two strata."""

    class Mixed(proctor.Dataset):
        """Half of the rows without a stratum may say so."""

        says_so: bool

        def examples(self) -> Iterator[proctor.Example]:
            for n in range(40):
                none = {"stratum": None} if n % 2 and self.says_so else {}
                metadata = {"stratum": "a"} if n < 20 else none
                yield proctor.Example(id=f"q{n}", input="?", target="x", metadata=metadata)

    for limit in range(1, 20):
        assert ids(Mixed(says_so=True), limit=limit) == ids(Mixed(says_so=False), limit=limit)


SMALL_STRATA = {"big": 60, **{f"s{n}-": 1 for n in range(40)}}
"""A stratum of 60 rows, and 40 of a single row each: 30 rows are 18 of the one and 12 of those."""


def drawn(sizes: dict[str, int], limit: int, seeds: int) -> list[list[str]]:
    rows = [row.id for row in Rows(sizes=sizes).examples()]
    assert len(set(rows)) == sum(sizes.values())
    return [ids(Rows(sizes=sizes), limit=limit, seed=seed) for seed in range(seeds)]


def test_small_strata_get_their_share() -> None:
    """With (rank + 1/2) / size not one of the forty was ever taken; with (rank + 1), hardly one."""
    shares = [
        sum(not name.startswith("big") for name in chosen) / 30
        for chosen in drawn(SMALL_STRATA, 30, 600)
    ]
    error = statistics.stdev(shares) / math.sqrt(len(shares))
    # The count of rows is fixed and the threshold is not, which leaves a bias of 0.005 at most.
    assert abs(statistics.mean(shares) - 0.4) < 0.005 + 3 * error
    assert error < 0.004


@pytest.mark.parametrize(
    ("sizes", "limit"),
    [(SMALL_STRATA, 30), (SMALL_STRATA, 7), ({"a": 7, "b": 2, "c": 1}, 3), ({"": 20}, 5)],
)
def test_every_row_has_the_same_chance(sizes: dict[str, int], limit: int) -> None:
    seeds = 600
    taken = Counter(name for chosen in drawn(sizes, limit, seeds) for name in chosen)
    rows = [row.id for row in Rows(sizes=sizes).examples()]
    chance = limit / len(rows)
    error = math.sqrt(chance * (1 - chance) / seeds)
    for row in rows:
        assert abs(taken[row] / seeds - chance) < 0.02 + 4 * error, row


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 12), min_size=1),
    st.integers(0, 2**32),
)
@settings(max_examples=25, deadline=None)
def test_a_larger_limit_adds_rows_and_no_stratum_strays(sizes: dict[str, int], seed: int) -> None:
    total = sum(sizes.values())
    before: set[str] = set()
    for limit in range(1, total + 1):
        now = ids(Rows(sizes=sizes), limit=limit, seed=seed)
        assert len(now) == limit
        assert before < set(now)
        counts = Counter(name[0] for name in now)
        for stratum, size in sizes.items():
            # Each stratum is within a row of the common threshold, and so is the whole per stratum.
            assert abs(counts[stratum] - limit * size / total) < 1 + len(sizes) * size / total
        before = set(now)
    assert ids(Rows(sizes=sizes), limit=total, seed=seed) == [
        row.id for row in Rows(sizes=sizes).examples()
    ]


def test_a_stratum_and_a_row_of_one_name_are_drawn_apart() -> None:
    """A row's rank and its stratum's start must not come from one hash."""

    class OneName(proctor.Dataset):
        """Each row is called like its stratum."""

        def examples(self) -> Iterator[proctor.Example]:
            for n in range(4):
                yield proctor.Example(
                    id=f"r{n}", input="?", target="x", metadata={"stratum": f"r{n % 2}"}
                )

    taken = Counter(name for seed in range(800) for name in ids(OneName(), limit=1, seed=seed))
    assert all(abs(taken[f"r{n}"] / 800 - 0.25) < 0.06 for n in range(4))


def test_graders_of_similar_names_are_not_numbered() -> None:
    class Exact(Any_):
        """One."""

    graders = [Any_(), Exact(), Any_(), Exact()]
    graders[0]._given_name = "exact-match"
    for grader in graders[1:]:
        grader._given_name = "exact"
    made = proctor.GradedEvaluator(dataset=Rows(), graders=graders)
    assert made.grader_names() == ["exact-match", "exact", "exact-2", "exact-3"]


def test_a_function_that_misses_a_target_is_called_by_its_name() -> None:
    def contains_it(response: str, target: str) -> bool:
        return target in response

    class Untargeted(proctor.Dataset):
        """One row without a target."""

        def examples(self) -> Iterator[proctor.Example]:
            yield proctor.Example(id="a", input="?")

    with pytest.raises(proctor.DatasetError, match="contains_it needs one"):
        select(Untargeted(), [build("grader", contains_it)])


class Hidden(proctor.Dataset):
    """Rows of which all but the last few have -1 for a target."""

    rows: int = 10
    known: int = 0

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.rows):
            target = "1" if number >= self.rows - self.known else "-1"
            yield proctor.Example(id=str(number), input="Q", target=target)


class Needy(Any_):
    """Needs a target."""

    needs_target: ClassVar[bool] = True


@pytest.mark.parametrize("limit", [None, 3])
def test_a_split_of_hidden_labels_is_refused(limit: int | None) -> None:
    with pytest.raises(proctor.DatasetError, match="each of the 10 rows is -1"):
        select(Hidden(), [Needy()], limit=limit)
    for dataset in (Hidden(known=1), Hidden(rows=9)):
        assert select(dataset, [Needy()], limit=limit).total == (limit or dataset.rows)
    assert select(Hidden(), [Any_()], limit=limit).total == (limit or 10)
