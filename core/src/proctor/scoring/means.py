"""A mean as every result has it: with its standard error and its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

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
        interval_doubt: Why the interval may hold the truth less often than it says, in few words:
            few clusters, few events; None where it is to be trusted, or there is none.
    """

    score: float
    stderr: float
    ci_low: float
    ci_high: float
    interval_doubt: str | None = field(default=None, kw_only=True)

    @property
    def interval_trusted(self) -> bool | None:
        """Whether the interval is to be trusted; None where there is none."""
        return None if math.isnan(self.ci_low) else self.interval_doubt is None

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
        return {
            **self.numbers(),
            "interval_trusted": self.interval_trusted,
            "interval_doubt": self.interval_doubt,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> Mean:
        """The mean that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        return Mean(*mean_from(fields), interval_doubt=doubt_from(fields))


def mean_from(fields: JsonFields) -> tuple[float, float, float, float]:
    """The score of an object that has one, its standard error and the ends of its interval."""
    return (
        fields.known("score"),
        fields.known("stderr"),
        fields.known("ci_low"),
        fields.known("ci_high"),
    )


def doubt_from(fields: JsonFields) -> str | None:
    """Why the interval of an object is not to be trusted.

    A file that was written before intervals said so has no such key: its intervals are taken as
    they were meant then, as trusted.
    """
    return fields.optional_text("interval_doubt") if "interval_doubt" in fields else None


def known(number: float) -> float | None:
    """A number for JSON: None where it is NaN or infinite."""
    return number if math.isfinite(number) else None
