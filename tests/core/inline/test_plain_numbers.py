"""The numbers of evaluators that only return some: what is one, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import proctor


class Tensor:
    """As much of a tensor as is asked of one."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def item(self) -> float:
        (value,) = self.values
        return value


class Returns(proctor.SamplingClientEvaluator):
    """An evaluator that returns what it was given."""

    def __init__(self, metrics: Mapping[Any, Any]) -> None:
        self.metrics = metrics

    async def __call__(self, sampling_client: Any) -> Any:
        return self.metrics


async def logged(
    metrics: Mapping[Any, Any], model: Any, caplog: pytest.LogCaptureFixture, steps: int = 1
) -> tuple[dict[str, float], str]:
    """What training gets of the last step, and what was logged in all."""
    evals = proctor.InlineEvaluations([Returns(metrics)], eval_every=1)
    got: dict[str, float] = {}
    for step in range(steps):
        got = await evals.step(step, sampling_client=model.client_of(1))
    await evals.finish()
    return got, caplog.text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (True, 1.0),
        (False, 0.0),
        (Decimal("0.25"), 0.25),
        (Fraction(1, 2), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.bool_(True), 1.0),
        (np.array(0.5), 0.5),
        (np.array([0.5]), 0.5),
        (Tensor(0.5), 0.5),
    ],
    ids=lambda value: re.sub(r" at 0x.*", "", repr(value)),
)
async def test_numbers_are_numbers(
    value: Any, number: float, model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert await logged({"x": value}, model, caplog) == ({"Returns/x": number}, "")


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "nan",
        b"1",
        np.str_("1"),
        None,
        1j,
        np.complex64(1),
        [1.0],
        {"a": 1.0},
        np.array([0.5, 0.5]),
        np.array(["1"]),
        Tensor(0.5, 0.5),
        Tensor(),
        10**400,
    ],
    ids=lambda value: re.sub(r" at 0x.*", "", repr(value))[:20],
)
async def test_what_is_no_number_is_refused_in_one_line(
    value: Any, model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    got, log = await logged({"fine": 1.0, "x y": value}, model, caplog)
    assert got == {"Returns/failed_evaluations": 1.0}
    (line,) = log.splitlines()
    assert "as 'x y', which is no number" in line


async def test_two_keys_with_one_name_are_refused(
    model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    got, log = await logged({1: 1.0, "1": 2.0}, model, caplog)
    assert got == {"Returns/failed_evaluations": 1.0}
    assert "two metrics '1'" in log


@pytest.mark.parametrize("lost", [float("nan"), float("inf"), np.float32("nan"), Tensor(np.nan)])
async def test_a_number_that_is_not_finite_is_said_once(
    lost: Any, model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    got, log = await logged({"loss": lost, "accuracy": 0.5}, model, caplog, steps=3)
    assert got == {"Returns/accuracy": 0.5}
    (line,) = log.splitlines()
    assert "Returns: warning: left out: loss is " in line


async def test_two_numbers_that_are_not_finite_are_both_said(
    model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    got, log = await logged({"a": np.nan, "b": -np.inf}, model, caplog)
    assert got == {}
    assert "left out: a is nan, b is -inf" in log
