"""A mean as every result has it: with its standard error and its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from proctor.scoring.json_fields import JsonFields


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of scores. What is not known is NaN here and null in JSON, never 0.

    Attributes:
        score: The mean; NaN where there is nothing to take it of.
        stderr: Its standard error; NaN where it can't be told.
        ci_low: The lower end of the 95% interval, whichever end of the scale is better; NaN where
            there is no interval.
        ci_high: The upper end.
    """

    score: float
    stderr: float
    ci_low: float
    ci_high: float

    def numbers(self) -> dict[str, float | None]:
        """The numbers of the mean by their names; None for what is not known."""
        return {
            "score": known(self.score),
            "stderr": known(self.stderr),
            "ci_low": known(self.ci_low),
            "ci_high": known(self.ci_high),
        }

    def to_json(self) -> dict[str, object]:
        """The mean as JSON; null for what is not known."""
        return dict(self.numbers())

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> Mean:
        """The mean that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        return Mean(*mean_from(JsonFields.of(raw)))


def mean_from(fields: JsonFields) -> tuple[float, float, float, float]:
    """The score of an object that has one, its standard error and the ends of its interval."""
    return (
        fields.known("score"),
        fields.known("stderr"),
        fields.known("ci_low"),
        fields.known("ci_high"),
    )


def known(number: float) -> float | None:
    """A number for JSON: None where it is NaN or infinite."""
    return number if math.isfinite(number) else None
