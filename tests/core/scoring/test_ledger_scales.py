"""Scales: which values a grader may give, and what they are worth."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from proctor.errors import ConfigError
from proctor.scoring.grades import checked_value
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.types import Grade, Outcome

GRADED = Outcome.GRADED


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, 1.001, 10**400])
def test_a_value_off_the_scale_is_ungraded_and_in_no_score(value):
    ledger = Ledger([LedgerColumn("g")])
    ledger.record(ledger.add_example(), 0, "g", GRADED, 1.0)
    row = ledger.add_example()
    assert ledger.record(row, 0, "g", GRADED, value) is Outcome.UNGRADED
    assert ledger.record(row, 0, "g", Outcome.MALFORMED, 7.0) is Outcome.UNGRADED
    estimate = ledger.estimate("g")
    assert estimate.score == 1.0
    assert estimate.counts[Outcome.UNGRADED] == 1


@pytest.mark.parametrize(
    ("value", "worst", "best", "expected"),
    [
        (True, 0.0, 1.0, 1.0),
        (False, 0.0, 1.0, 0.0),
        (True, 1.0, 0.0, 0.0),
        (False, 1.0, 0.0, 1.0),
        (True, 1.0, 5.0, 5.0),
        (np.bool_(False), 1.0, 5.0, 1.0),
        (False, None, 1.0, 0.0),
        (False, None, 0.0, 1.0),
        (False, None, 7.0, None),
        (True, None, 7.0, 7.0),
        (Grade(True), 1.0, 5.0, 5.0),
        (Grade(0.5), 0.0, 1.0, 0.5),
        (3, 1.0, 5.0, 3.0),
        (np.float32(0.5), 0.0, 1.0, 0.5),
        (np.int64(1), 0.0, 1.0, 1.0),
        (0.5, 1.0, 0.0, 0.5),
        (1.5, 1.0, 0.0, None),
        (-0.5, 1.0, 0.0, None),
        (123.0, None, 0.0, 123.0),
        (math.inf, None, 0.0, None),
        ("1.0", 0.0, 1.0, None),
        (None, 0.0, 1.0, None),
        (1 + 0j, 0.0, 1.0, None),
        (Decimal("0.5"), 0.0, 1.0, None),
        ([1.0], 0.0, 1.0, None),
    ],
)
def test_checked_value(value, worst, best, expected):
    assert checked_value(value, worst, best) == expected


def test_a_proportion_has_two_values():
    assert checked_value(0.5, 0.0, 1.0, proportion=True) is None
    assert checked_value(1.0, 0.0, 1.0, proportion=True) == 1.0
    assert checked_value(1, 1.0, 0.0, proportion=True) == 1.0
    assert checked_value(0.5, None, 1.0, proportion=True) is None


def test_a_proportion_is_never_guessed_from_values(make_ledger):
    rows = [[1.0], [0.0], [1.0], [1.0]]
    declared = make_ledger(rows).estimate("g")
    not_declared = make_ledger(rows, proportion=False).estimate("g")
    assert declared.method == "wilson"
    assert not_declared.method == "bounded"
    assert (declared.ci_low, declared.ci_high) != (not_declared.ci_low, not_declared.ci_high)


@pytest.mark.parametrize(
    "scale",
    [(1.0, 1.0), (0.0, math.inf), (math.nan, 1.0), (-math.inf, 0.0), (0.0, math.nan)],
)
def test_a_scale_without_length_or_end_is_refused(scale):
    with pytest.raises(ConfigError, match="grader g: "):
        LedgerColumn("g", *scale)


def test_a_yes_or_no_scale_that_can_not_place_no_is_refused():
    with pytest.raises(ConfigError, match="best = 5"):
        LedgerColumn("g", None, 5.0, proportion=True)
