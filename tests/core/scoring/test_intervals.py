"""Standard errors and intervals against statsmodels, SciPy and simulated truth."""

from __future__ import annotations

import math

import intervals as benchmark
import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from proctor.scoring.intervals import (
    estimate_mean,
    t_quantile,
    wilson_interval,
)

CELLS = list(benchmark.cells())


def test_the_grid_has_what_a_score_must_stand():
    names = "\n".join(f"{cell.kind}: {cell.name}" for cell in CELLS)
    for kind in ("6 clusters of 8", "Zipf", "one with half", "20% missing", "p = 0.02", "p = 0.5"):
        assert kind in names
    for kind in ("correlation 0.0", "correlation 0.8", "of 8 samples", "small strata", "stopped"):
        assert kind in names
    assert len({(cell.kind, cell.name) for cell in CELLS}) == len(CELLS) > 250


@pytest.mark.parametrize("start", range(6))
def test_a_part_of_the_grid_keeps_its_targets(start):
    """Every sixth cell, a few evaluations of each: the whole of it is the benchmark's to run."""
    for cell in CELLS[start::6]:
        found = benchmark.measure(cell, 40, seed=start)
        # Four standard errors: two beside the two of the benchmark, for there are many cells.
        noise = 2 * math.sqrt(0.95 * 0.05 / 40)
        if found.region == "trusted":
            assert found.held >= 0.92 - 2 * noise, cell.name
        elif found.region != "limits":
            assert found.said >= 0.90 - 2 * noise, cell.name


@pytest.mark.parametrize(
    ("held", "said", "clusters", "missed"),
    [
        (0.95, 0.95, 20, ""),
        (0.89, 0.99, 20, "under 0.92"),
        (1.0, 1.0, 20, "over 0.99"),
        (1.0, 1.0, 10, ""),
        (0.80, 0.95, 4, ""),
        (0.80, 0.85, 4, "under 0.90, and not said"),
    ],
)
def test_the_benchmark_sees_what_misses_a_target(held, said, clusters, missed):
    cell = benchmark.Cell("yes or no", "made up", None, 0.5, lambda g: g, 6)
    found = benchmark.Measured(cell, held, said, 0.1, clusters, 10_000)
    assert found.missed == missed


@pytest.mark.parametrize("seed", range(20))
def test_clustered_stderr_is_that_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, rng.integers(2, 60))
    clusters = np.repeat(rng.permutation(len(sizes)) * 7 - 50, sizes)
    effect = np.repeat(rng.normal(0, 1, len(sizes)), sizes)
    values = effect + rng.normal(3, 1, len(clusters))
    order = rng.permutation(len(values))
    values, clusters = values[order], clusters[order]
    model = sm.OLS(values, np.ones(len(values)))
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": clusters + 50})
    estimate = estimate_mean(values, clusters)
    assert estimate.stderr == pytest.approx(fit.bse[0], rel=0, abs=1e-9)
    assert estimate.mean == pytest.approx(fit.params[0])
    half = stats.t.ppf(0.975, len(sizes) - 1) * fit.bse[0]
    assert (estimate.ci_low, estimate.ci_high) == pytest.approx(
        (fit.params[0] - half, fit.params[0] + half)
    )


def test_without_clusters_the_stderr_is_the_textbook_one():
    values = np.array([1.0, 4.0, 2.0, 2.0, 5.0])
    assert estimate_mean(values).stderr == pytest.approx(stats.sem(values), rel=1e-12)


def test_clusters_of_copies_say_no_more_than_the_originals():
    values = np.array([0.1, 0.9, 0.3, 0.2, 0.7])
    copies = estimate_mean(np.repeat(values, 10), np.repeat(np.arange(5), 10))
    assert copies.stderr == pytest.approx(estimate_mean(values).stderr, rel=1e-12)


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (1, 10), (7, 20), (50, 100), (999, 1000)])
def test_wilson_is_that_of_statsmodels_in_the_limit_of_many_degrees_of_freedom(correct, n):
    low, high = wilson_interval(correct / n, n, 1e12)
    assert (low, high) == pytest.approx(proportion_confint(correct, n, method="wilson"), abs=1e-9)


@pytest.mark.parametrize(("correct", "n"), [(1, 10), (7, 20), (50, 100)])
def test_independent_yes_or_no_grades_count_fully_with_a_t_quantile(correct, n):
    values = np.array([1.0] * correct + [0.0] * (n - correct))
    found = estimate_mean(values, scale=(0.0, 1.0), proportion=True)
    # The ends of Wilson's interval are where the score test is on the edge of rejecting.
    q = stats.t.ppf(0.975, n - 1)
    for end in (found.ci_low, found.ci_high):
        assert abs(correct / n - end) == pytest.approx(q * math.sqrt(end * (1 - end) / n))
    assert found.ci_low < correct / n < found.ci_high
    assert found.method == "wilson"


def test_identical_answers_within_clusters_count_for_little_more_than_one():
    once = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0] * 3)
    alone = estimate_mean(once, scale=(0.0, 1.0), proportion=True)
    copies = estimate_mean(
        np.repeat(once, 5), np.repeat(np.arange(24), 5), scale=(0.0, 1.0), proportion=True
    )
    all_count = estimate_mean(np.repeat(once, 5), scale=(0.0, 1.0), proportion=True)
    assert (copies.mean, copies.stderr) == (alone.mean, pytest.approx(alone.stderr))
    assert copies.ci_high - copies.ci_low == pytest.approx(alone.ci_high - alone.ci_low, rel=0.08)
    assert all_count.ci_high - all_count.ci_low < 0.5 * (copies.ci_high - copies.ci_low)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("n", [2, 20])
def test_all_alike_at_an_end_still_leaves_doubt(value, n):
    found = estimate_mean(np.full(n, value), scale=(0.0, 1.0), proportion=True)
    q2 = stats.t.ppf(0.975, n - 1) ** 2
    doubt = q2 / (n + q2)
    assert found.mean == value
    assert abs(found.ci_high - found.ci_low) == pytest.approx(doubt)
    assert value in (found.ci_low, found.ci_high)


def test_all_correct_in_clusters_counts_as_more_than_clusters_and_less_than_samples():
    found = estimate_mean(
        np.ones(100), np.repeat(np.arange(5), 20), scale=(0.0, 1.0), proportion=True
    )
    assert wilson_interval(1.0, 5, 4)[0] < found.ci_low < wilson_interval(1.0, 30, 4)[0]
    assert found.untrusted == "few clusters, few events"


@pytest.mark.parametrize("clusters", [2, 7, 50])
@pytest.mark.parametrize("proportion", [True, False])
def test_the_stderr_is_never_0_where_the_score_is_between(clusters, proportion):
    """Story 11: clusters that all score the same have no variance between them."""
    values = np.tile([1.0, 0.0, 0.0, 1.0], clusters)
    found = estimate_mean(
        values, np.repeat(np.arange(clusters), 4), scale=(0.0, 1.0), proportion=proportion
    )
    assert found.stderr == pytest.approx(stats.sem(values))
    independent = wilson_interval(0.5, 4 * clusters, clusters - 1)
    assert found.ci_low <= independent[0] + 1e-12
    assert found.ci_high >= independent[1] - 1e-12


@pytest.mark.parametrize("value", [0.1, 0.125, 1.0, 0.3, 1 / 3])
def test_rounding_errors_are_no_variance(value):
    """Grades that are all one value have no error, and an interval that says so."""
    found = estimate_mean(np.full(3000, value), np.repeat(np.arange(1000), 3), scale=(0.0, 1.0))
    assert found.stderr == 0.0
    assert found.method == "bounded"
    assert found.ci_high - found.ci_low > 0.0004
    assert found.untrusted == ("few events" if value == 1.0 else "equal grades")
    nearly = np.full(3000, value)
    nearly[:9] -= 1e-9
    other = estimate_mean(nearly, np.repeat(np.arange(1000), 3), scale=(0.0, 1.0))
    assert (other.ci_low, other.ci_high) == pytest.approx(
        (found.ci_low, found.ci_high), abs=4e-3 if value == 1.0 else 1e-6
    )


def test_clusters_that_agree_by_chance_make_no_more_samples_than_there_are():
    """One cluster in fifty differs: the clustered variance is next to nothing."""
    values = np.tile([1.0, 0.0], 50)
    values[0] = 0.0
    found = estimate_mean(values, np.repeat(np.arange(50), 2), scale=(0.0, 1.0), proportion=True)
    low, high = wilson_interval(float(values.mean()), 100, 49)
    assert low - 0.01 < found.ci_low <= low
    assert high <= found.ci_high < high + 0.01
    assert found.stderr == pytest.approx(stats.sem(values))


def test_one_example_says_nothing_about_the_error():
    found = estimate_mean(np.array([1.0]), scale=(0.0, 1.0), proportion=True)
    assert (found.mean, found.ci_low, found.ci_high) == (1.0, 0.0, 1.0)
    assert math.isnan(found.stderr)
    one_cluster = estimate_mean(
        np.array([1.0, 0.0, 1.0]), np.zeros(3, dtype=int), scale=(5.0, 1.0), proportion=False
    )
    assert (one_cluster.ci_low, one_cluster.ci_high) == (1.0, 5.0)
    assert math.isnan(one_cluster.stderr)
    open_scale = estimate_mean(np.array([3.0]))
    assert math.isnan(open_scale.ci_low)
    assert math.isnan(open_scale.stderr)
    assert open_scale.mean == 3.0


def test_nothing_has_no_mean():
    found = estimate_mean(np.array([]), scale=(0.0, 1.0), proportion=True)
    assert math.isnan(found.mean)
    assert math.isnan(found.ci_low)
    assert found.method == "none"
    assert math.isnan(found.stderr)


def test_a_long_tail_on_an_open_scale_is_said():
    rng = np.random.default_rng(2)
    tail = estimate_mean(rng.lognormal(0, 1, 30))
    assert (tail.method, tail.untrusted) == ("student-t", "long tail")
    assert estimate_mean(rng.normal(0, 1, 100)).untrusted is None
    assert "few clusters" in estimate_mean(rng.normal(0, 1, 9)).untrusted


def test_equal_grades_on_an_open_scale_have_no_interval():
    found = estimate_mean(np.full(10, 7.0))
    assert (found.mean, found.stderr, found.method) == (7.0, 0.0, "none")
    assert math.isnan(found.ci_low)


def test_the_interval_of_grades_stays_on_the_scale():
    values = np.array([1.0, 1.0, 1.0, 1.0, 0.9])
    found = estimate_mean(values, scale=(0.0, 1.0))
    assert found.method == "bounded"
    assert found.mean < found.ci_high < 1.0
    assert 0.0 < found.ci_low < 0.98 - t_quantile(4) * stats.sem(values)


def test_the_interval_of_many_grades_is_about_students():
    values = np.random.default_rng(3).beta(2, 3, 2000)
    found = estimate_mean(values, scale=(0.0, 1.0))
    half = t_quantile(1999) * stats.sem(values)
    assert found.ci_low == pytest.approx(values.mean() - half, abs=0.01 * half)
    assert found.ci_high == pytest.approx(values.mean() + half, abs=0.01 * half)
    assert found.untrusted is None


def test_a_scale_may_run_either_way_and_be_of_any_length():
    answers = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    unit = estimate_mean(answers, scale=(0.0, 1.0), proportion=True)
    stars = estimate_mean(1 + 4 * answers, scale=(1.0, 5.0), proportion=True)
    errors = estimate_mean(1 - answers, scale=(1.0, 0.0), proportion=True)
    assert stars.ci_low == pytest.approx(1 + 4 * unit.ci_low)
    assert stars.stderr == pytest.approx(4 * unit.stderr)
    assert (errors.ci_low, errors.ci_high) == pytest.approx((1 - unit.ci_high, 1 - unit.ci_low))
