"""A judge held against people: the figures, the correction, and what can't be corrected."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from proctor import ConfigError, Ledger, LedgerColumn, Outcome
from proctor_judge.calibration import Calibration, load_calibration

GOOD = Calibration(true_positives=90, false_negatives=10, true_negatives=70, false_positives=30)


def estimate_of(verdicts, truncated=0):
    """The estimate that a run's ledger makes of a judge's verdicts."""
    ledger = Ledger([LedgerColumn("llm_judge", proportion=True)])
    for verdict in verdicts:
        ledger.record(ledger.add_example(), 0, "llm_judge", Outcome.GRADED, bool(verdict))
    for _ in range(truncated):
        ledger.record(ledger.add_example(), 0, "llm_judge", Outcome.TRUNCATED)
    return ledger.estimate("llm_judge")


def test_figures_are_those_of_statsmodels():
    for share, count in ((GOOD.accuracy, 160), (GOOD.sensitivity, 90), (GOOD.specificity, 70)):
        low, high = proportion_confint(count, share.n, method="wilson")
        assert (share.value, share.ci_low, share.ci_high) == pytest.approx(
            (count / share.n, low, high)
        )
    assert (GOOD.sensitivity.n, GOOD.specificity.n, GOOD.labels) == (100, 100, 200)


@pytest.mark.parametrize("counts", [(90, 10, 70, 30), (12, 3, 150, 40), (1, 5, 60, 2)])
def test_kappa_and_its_interval_are_those_of_statsmodels(counts):
    tp, fn, tn, fp = counts
    expected = cohens_kappa(np.array([[tp, fn], [fp, tn]]))
    kappa = Calibration(tp, fn, tn, fp).kappa
    assert kappa.value == pytest.approx(expected.kappa)
    assert kappa.ci_low == pytest.approx(expected.kappa_low)
    assert kappa.ci_high == pytest.approx(expected.kappa_upp)


def test_kappa_has_no_value_where_chance_always_agrees():
    assert Calibration(20, 0, 0, 0).kappa.value is None


def test_correction_is_rogan_and_gladens():
    # 60% called right by a judge of 0.9 and 0.7: (0.6 + 0.7 - 1) / (0.9 + 0.7 - 1) is one half
    corrected = GOOD.corrected(estimate_of([True] * 60 + [False] * 40))
    assert corrected.score == pytest.approx(0.5)
    assert corrected.ci_low < 0.5 < corrected.ci_high
    assert not corrected.is_clipped


def test_a_correction_never_leaves_0_to_1_and_says_where_it_would():
    fewest = GOOD.corrected(estimate_of([True] * 28 + [False] * 72))
    most = GOOD.corrected(estimate_of([True] * 92 + [False] * 8))
    assert (fewest.score, fewest.ci_low, fewest.is_clipped) == (0.0, 0.0, True)
    assert (most.score, most.ci_high, most.is_clipped) == (1.0, 1.0, True)
    assert fewest.ci_high > 0.05
    assert most.ci_low < 0.95


def test_verdicts_that_contradict_the_calibration_are_not_corrected():
    """A judge that calls 30% of wrong answers right calls none of 100 right: it is another now."""
    assert GOOD.corrected(estimate_of([False] * 100)) is None


def test_the_interval_is_wider_than_that_of_a_judge_known_exactly():
    estimate = estimate_of([True] * 300 + [False] * 200)
    few = GOOD.corrected(estimate)
    many = Calibration(90_000, 10_000, 70_000, 30_000).corrected(estimate)
    assert few.ci_high - few.ci_low > 1.5 * (many.ci_high - many.ci_low)
    # with the judge's errors known, what is left is p's own interval, stretched
    raw = estimate.ci_high - estimate.ci_low
    assert many.ci_high - many.ci_low == pytest.approx(raw / 0.6, rel=0.05)


def test_truncated_answers_stay_wrong():
    """The judge saw 100 of 200 answers: its errors are no excuse for the others."""
    corrected = GOOD.corrected(estimate_of([True] * 60 + [False] * 40, truncated=100))
    assert corrected.score == pytest.approx(0.25)
    alone = GOOD.corrected(estimate_of([True] * 60 + [False] * 40))
    assert corrected.ci_high < alone.ci_high


def test_clusters_widen_the_interval():
    """Four equal verdicts of one example say no more than one does."""
    single = Ledger([LedgerColumn("llm_judge", proportion=True)])
    fourfold = Ledger([LedgerColumn("llm_judge", proportion=True)], num_samples=4)
    for verdict in [True] * 60 + [False] * 40:
        single.record(single.add_example(), 0, "llm_judge", Outcome.GRADED, verdict)
        row = fourfold.add_example()
        for index in range(4):
            fourfold.record(row, index, "llm_judge", Outcome.GRADED, verdict)
    alone = GOOD.corrected(single.estimate("llm_judge"))
    repeated = GOOD.corrected(fourfold.estimate("llm_judge"))
    assert (repeated.ci_low, repeated.ci_high) == pytest.approx(
        (alone.ci_low, alone.ci_high), abs=0.002
    )


def test_without_a_score_there_is_no_correction():
    ledger = Ledger([LedgerColumn("llm_judge", proportion=True)])
    ledger.add_example()
    assert GOOD.corrected(ledger.estimate("llm_judge")) is None
    assert GOOD.corrected(estimate_of([], truncated=3)) is None


@pytest.mark.parametrize("judge", [(0.9, 0.7), (0.7, 0.7), (0.95, 0.95)])
@pytest.mark.parametrize("truth", [0.2, 0.5, 0.8])
def test_the_interval_holds_the_true_score_as_often_as_it_says(judge, truth):
    """1,000 judges of known errors, 200 labels, 300 answers: 92 to 98 in 100 intervals hold it."""
    sensitivity, specificity = judge
    generator = np.random.default_rng([7, round(100 * sensitivity), round(100 * truth)])
    called_right = truth * sensitivity + (1 - truth) * (1 - specificity)
    estimates: dict[int, object] = {}
    held = 0
    for _ in range(1000):
        positives = int(generator.binomial(200, 0.5))
        tp = int(generator.binomial(positives, sensitivity))
        tn = int(generator.binomial(200 - positives, specificity))
        right = int(generator.binomial(300, called_right))
        if right not in estimates:
            estimates[right] = estimate_of([True] * right + [False] * (300 - right))
        calibration = Calibration(tp, positives - tp, tn, 200 - positives - tn)
        corrected = calibration.corrected(estimates[right])
        held += corrected.ci_low <= truth <= corrected.ci_high
    assert 920 <= held <= 980


@pytest.mark.parametrize(
    ("calibration", "complaint"),
    [
        (Calibration(50, 5, 0, 0), "no label of the calibration says wrong"),
        (Calibration(0, 0, 50, 5), "no label of the calibration says right"),
        (Calibration(50, 50, 40, 60), "no better than chance"),
        (Calibration(9, 1, 9, 1, judge="another"), "another judge"),
    ],
)
def test_what_can_correct_no_score_is_refused(calibration, complaint):
    with pytest.raises(ConfigError, match=complaint) as refused:
        calibration.check("mine")
    assert refused.value.fix


def test_a_calibration_survives_its_file(tmp_path):
    file = tmp_path / "calibration.json"
    calibration = Calibration(90, 10, 70, 30, unreadable=4, judge="abc")
    calibration.save(file)
    assert load_calibration(file) == calibration
    assert json.loads(file.read_text())["sensitivity"]["value"] == 0.9


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "true_positives": -1}'])
def test_a_file_that_is_no_calibration_is_said(tmp_path, text):
    file = tmp_path / "calibration.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="calibrat"):
        load_calibration(file)
    with pytest.raises(ConfigError, match="can't read"):
        load_calibration(tmp_path / "nothing.json")


def test_an_empty_share_is_unknown():
    share = Calibration(0, 0, 5, 5).sensitivity
    assert (share.value, share.n) == (None, 0)
    assert math.isclose(share.ci_high, 1.0)
