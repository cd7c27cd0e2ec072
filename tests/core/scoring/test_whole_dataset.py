"""The score of a whole dataset, from a part of its rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import proctor
from proctor.datasets.selection import select
from proctor.scoring.intervals import wilson_interval
from proctor.scoring.results import EvaluationResult, GraderResult
from proctor.scoring.whole_dataset import DrawnRows, WholeDatasetMean, estimate_whole_dataset

SCALE = (0.0, 1.0)


def estimate(values: list[float], drawn: DrawnRows, **options: Any) -> WholeDatasetMean:
    found = estimate_whole_dataset(np.array(values)[:, None], drawn, SCALE, **options)
    assert found is not None
    return found


def half_width(found: WholeDatasetMean) -> float:
    return (found.ci_high - found.ci_low) / 2


def test_strata_and_the_finite_dataset_make_the_interval_narrower() -> None:
    """Two strata at .05 and .95, 100 of 1,000 rows: .042 is right, and not .097."""
    values = [1.0] * 2 + [0.0] * 48 + [1.0] * 48 + [0.0] * 2
    drawn = DrawnRows(["low"] * 50 + ["high"] * 50, {"low": 500, "high": 500})
    assert half_width(estimate(values, drawn, proportion=True)) == pytest.approx(0.042, abs=0.004)
    blind = DrawnRows(["all"] * 100, {"all": 1000})
    assert half_width(estimate(values, blind, proportion=True)) == pytest.approx(0.094, abs=0.002)


def test_the_variance_is_cochrans_for_one_stratum() -> None:
    values = [1.0] * 120 + [0.0] * 80
    found = estimate(values, DrawnRows([""] * 200, {"": 400}))
    assert found.score == 0.6
    assert found.stderr == pytest.approx(math.sqrt(0.5 * np.var(values, ddof=1) / 200))
    assert (found.ci_low, found.ci_high) == pytest.approx(
        wilson_interval(0.6, 0.24 / found.stderr**2, 199)
    )
    assert found.rows == 400


def test_strata_weigh_by_their_size_and_not_by_what_was_drawn() -> None:
    drawn = DrawnRows(["a"] * 10 + ["b"] * 10, {"a": 30, "b": 10})
    assert estimate([1.0] * 10 + [0.0] * 10, drawn).score == pytest.approx(0.75)


def test_strata_of_a_row_are_one_and_stand_for_those_that_none_was_drawn_of() -> None:
    sizes = {"big": 60} | {f"alone-{index}": 1 for index in range(40)}
    strata = ["big"] * 20 + [f"alone-{index}" for index in range(10)]
    found = estimate([1.0] * 20 + [0.0] * 10, DrawnRows(strata, sizes))
    assert found.score == pytest.approx(0.6)
    # a single row of such a stratum tells nothing of the others: they join the largest
    one = DrawnRows(strata[:21], {"big": 60, "alone-0": 1, "alone-1": 1})
    assert estimate([1.0] * 20 + [0.0], one).score == pytest.approx(20 / 21)


def test_noise_of_sampling_is_part_of_the_variance() -> None:
    drawn = DrawnRows([""] * 90, {"": 100})
    alike = estimate_whole_dataset(np.array([[1.0, 1.0], [0.0, 0.0]] * 45), drawn, SCALE)
    noisy = estimate_whole_dataset(np.array([[1.0, 0.0], [1.0, 0.0]] * 45), drawn, SCALE)
    assert alike is not None
    assert noisy is not None
    assert alike.score == noisy.score == 0.5
    # rows that are all alike leave only the noise: .5 / 2 samples, of 90 rows, nine tenths of it
    assert noisy.stderr == pytest.approx(math.sqrt(0.9 * 0.25 / 90))
    assert alike.stderr == pytest.approx(math.sqrt(0.1 * (0.25 * 90 / 89) / 90))


@pytest.mark.parametrize(
    ("count", "rows"), [(1, 5), (9, 100), (10, 10), (0, 0)], ids=["one", "few", "all", "none"]
)
def test_it_is_not_offered(count: int, rows: int) -> None:
    drawn = DrawnRows([""] * count, {"": rows})
    assert estimate_whole_dataset(np.ones((count, 1)), drawn, SCALE) is None


def test_all_right_is_no_certainty_while_rows_are_left() -> None:
    found = estimate([1.0] * 50, DrawnRows([""] * 50, {"": 100}), proportion=True)
    assert found.ci_high == 1.0
    assert 0.9 < found.ci_low < 0.99
    assert found.interval_doubt == "few events"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=4, max_size=60),
    st.integers(1, 5),
)
def test_it_holds_its_score_and_keeps_to_the_scale(
    rows: list[tuple[str, bool]], left_out: int
) -> None:
    strata = [stratum for stratum, _ in rows]
    sizes = {stratum: strata.count(stratum) + left_out for stratum in set(strata)}
    values = np.array([[float(right)] for _, right in rows])
    found = estimate_whole_dataset(values, DrawnRows(strata, sizes), SCALE, proportion=True)
    assert found is not None
    assert 0 <= found.ci_low <= found.score <= found.ci_high <= 1
    turned = estimate_whole_dataset(
        1 - values, DrawnRows(strata, sizes), (1.0, 0.0), proportion=True
    )
    assert turned is not None
    assert turned.score == pytest.approx(1 - found.score)
    assert (turned.ci_low, turned.ci_high) == pytest.approx((1 - found.ci_high, 1 - found.ci_low))


def test_over_seeds_it_is_right_of_a_dataset_of_small_strata() -> None:
    """Cells of the benchmark hold the interval; here the score, by the real choice of rows."""

    class Rows(proctor.Dataset):
        """Sixty rows of one stratum, mostly right, and forty alone, mostly wrong."""

        def examples(self) -> Any:
            for index in range(100):
                stratum = "big" if index < 60 else f"alone-{index}"
                right = index % 10 < (8 if index < 60 else 3)
                metadata = {"stratum": stratum, "right": right}
                yield proctor.Example(id=str(index), input="?", target="t", metadata=metadata)

    scores = []
    for seed in range(300):
        selection = select(Rows(), [], limit=30, seed=seed)
        assert selection.stratum_sizes is not None
        chosen = [example for _, example in selection.rows()]
        drawn = DrawnRows([e.metadata["stratum"] for e in chosen], selection.stratum_sizes)
        scores.append(estimate([float(e.metadata["right"]) for e in chosen], drawn).score)
    error = np.std(scores) / math.sqrt(len(scores))
    assert abs(np.mean(scores) - 0.6) < 4 * error


@settings(max_examples=50)
@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 99))
def test_rows_are_no_sample_where_a_cluster_crosses_the_limit(
    limit: int, size: int, seed: int
) -> None:
    class Clustered(proctor.Dataset):
        """Twelve rows in clusters."""

        def examples(self) -> Any:
            for index in range(12):
                metadata = {"cluster": f"text-{index // size}"}
                yield proctor.Example(id=str(index), input="?", target="t", metadata=metadata)

    selection = select(Clustered(), [], limit=limit, seed=seed)
    chosen = {int(example.id) for _, example in selection.rows()}
    crosses = any(
        (row in chosen) != (other in chosen)
        for row in range(12)
        for other in range(12)
        if row // size == other // size
    )
    assert (selection.stratum_sizes is None) == (crosses or limit == 12)


def test_a_part_that_was_scanned_is_no_sample_of_the_dataset() -> None:
    class Rows(proctor.Dataset):
        """A hundred rows."""

        def examples(self) -> Any:
            for index in range(100):
                yield proctor.Example(id=str(index), input="?", target="t")

    assert select(Rows(), [], limit=20, scan=50).stratum_sizes is None
    assert select(Rows(), [], limit=20).stratum_sizes == {"": 100}


def test_a_result_has_it_where_nothing_is_missing(make_ledger: Any) -> None:
    drawn = DrawnRows([""] * 40, {"": 100})
    whole = make_ledger([[1.0]] * 30 + [[0.0]] * 9 + [["t"]])
    [grader] = EvaluationResult.from_ledger("e", whole, drawn=drawn).graders
    assert grader.whole_dataset is not None
    assert grader.whole_dataset.score == 0.75
    assert grader.to_json()["whole_dataset"]["rows"] == 100
    assert GraderResult.from_json(grader.to_json()) == grader
    before = grader.to_json()
    del before["whole_dataset"]
    assert GraderResult.from_json(before).whole_dataset is None
    missing = make_ledger([[1.0]] * 30 + [[0.0]] * 9 + [["f"]])
    for ledger, rows in ((missing, drawn), (whole, None)):
        [grader] = EvaluationResult.from_ledger("e", ledger, drawn=rows).graders
        assert grader.withheld is None
        assert grader.whole_dataset is None
    [grader] = EvaluationResult.from_ledger(
        "e", whole, drawn=drawn, details={"unread": True}
    ).graders
    assert grader.whole_dataset is None
    open_scale = make_ledger([[1.0]] * 40, worst=None, proportion=False)
    [grader] = EvaluationResult.from_ledger("e", open_scale, drawn=drawn).graders
    assert grader.whole_dataset is None
