"""Micro and macro means of several evaluators."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from proctor.errors import ConfigError
from proctor.scoring.results import EvaluationResult
from proctor.scoring.suite_results import SuiteResult, check_scales


@pytest.fixture
def result(make_ledger):
    def make(name, rows, **options):
        return EvaluationResult.from_ledger(name, make_ledger(rows, **options))

    return make


def test_micro_weighs_samples_and_macro_evaluators(result):
    small = result("small", [[1.0], [0.0]])
    large = result("large", [[1.0]] * 9 + [[0.0]] * 9)
    odd = result("odd", [[1.0]] * 4)
    suite = SuiteResult.from_results("all", [small, large, odd])
    assert suite.micro.score == pytest.approx((1 + 9 + 4) / 24)
    assert suite.macro.score == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert suite.n == 24
    assert suite.metrics["all/micro/score"] == suite.micro.score
    keys = ("score", "stderr", "ci_low", "ci_high")
    means = {f"all/{kind}/{key}" for kind in ("micro", "macro") for key in keys}
    assert set(suite.metrics) == means | {"all/coverage", "all/n"}


def test_the_micro_mean_of_equal_parts_is_close_to_the_whole(result):
    rng = np.random.default_rng(4)
    rows = [[float(value)] for value in rng.random(400) < 0.6]
    parts = [result(f"part{i}", rows[i * 100 : (i + 1) * 100]) for i in range(4)]
    whole = result("whole", rows).graders[0].estimate
    micro = SuiteResult.from_results("all", parts).micro
    assert micro.score == pytest.approx(whole.score)
    assert micro.stderr == pytest.approx(whole.stderr, rel=0.03)
    assert (micro.ci_low, micro.ci_high) == pytest.approx((whole.ci_low, whole.ci_high), abs=0.005)


def test_the_macro_error_is_that_of_independent_parts(result):
    one = result("one", [[1.0], [0.0], [1.0], [1.0]])
    two = result("two", [[0.0]] * 5 + [[1.0]] * 3)
    macro = SuiteResult.from_results("all", [one, two]).macro
    errors = [r.graders[0].estimate.stderr for r in (one, two)]
    assert macro.stderr == pytest.approx(math.hypot(*errors) / 2)
    low, high = (r.graders[0].estimate for r in (one, two))
    below = math.hypot(low.score - low.ci_low, high.score - high.ci_low) / 2
    above = math.hypot(low.ci_high - low.score, high.ci_high - high.score) / 2
    assert macro.ci_low == pytest.approx(macro.score - below)
    assert macro.ci_high == pytest.approx(macro.score + above)


def test_intervals_of_suites_hold_the_truth(make_ledger):
    """600 suites of three evaluators, one of them nearly always right."""
    rng = np.random.default_rng(77)
    shares, sizes = (0.5, 0.8, 0.97), (100, 40, 60)
    truths = {
        "micro": np.average(shares, weights=sizes),
        "macro": np.mean(shares),
    }
    held = dict.fromkeys(truths, 0)
    for _ in range(600):
        results = [
            EvaluationResult.from_ledger(
                f"e{index}", make_ledger([[float(v)] for v in rng.random(size) < share])
            )
            for index, (share, size) in enumerate(zip(shares, sizes, strict=True))
        ]
        suite = SuiteResult.from_results("all", results)
        for kind, truth in truths.items():
            mean = getattr(suite, kind)
            held[kind] += mean.ci_low <= truth <= mean.ci_high
    for count in held.values():
        assert 0.92 <= count / 600 <= 0.98


def test_all_right_everywhere_still_leaves_doubt(result):
    suite = SuiteResult.from_results(
        "all", [result("one", [[1.0]] * 10), result("two", [[1.0]] * 10)]
    )
    assert suite.macro.score == 1.0
    assert suite.macro.ci_high == 1.0
    assert 0.5 < suite.macro.ci_low < 0.95


def test_one_withheld_score_withholds_the_suite(result):
    suite = SuiteResult.from_results(
        "all", [result("one", [[1.0]] * 10), result("two", [[1.0], ["f"]])]
    )
    assert suite.micro is None
    assert suite.macro is None
    assert suite.withheld == "no score for two"
    assert suite.metrics == {"all/coverage": pytest.approx(11 / 12), "all/n": 11.0}
    json.dumps(suite.to_json(), allow_nan=False)


def test_scales_that_differ_are_not_averaged(result):
    up = result("up", [[1.0], [0.0]])
    down = result("down", [[1.0], [0.0]], worst=1.0, best=0.0)
    stars = result("stars", [[1.0], [5.0]], worst=1.0, best=5.0)
    for other in (down, stars):
        with pytest.raises(ConfigError, match="suite all: the scores of up and"):
            SuiteResult.from_results("all", [up, other])
    floats = result("floats", [[0.5], [0.25]], proportion=False)
    assert SuiteResult.from_results("all", [up, floats]).macro.score == pytest.approx(0.4375)
    with pytest.raises(ConfigError, match="open"):
        check_scales("all", [("a", (None, 0.0)), ("b", (1.0, 0.0))])


def test_a_suite_needs_scores(result):
    with pytest.raises(ConfigError, match="no evaluators"):
        SuiteResult.from_results("all", [])
    with pytest.raises(ConfigError, match="nll gives numbers without samples"):
        SuiteResult.from_results("all", [EvaluationResult.from_metrics("nll", {"loss": 1.0})])


def test_a_member_without_a_standard_error_leaves_the_suite_without_one(result):
    suite = SuiteResult.from_results("all", [result("one", [[1.0]]), result("two", [[1.0]] * 9)])
    assert "all/macro/stderr" not in suite.metrics
    assert suite.metrics["all/macro/ci_low"] <= 0.5
