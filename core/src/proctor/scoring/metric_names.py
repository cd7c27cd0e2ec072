"""The names of metrics, and which of them there are."""

from __future__ import annotations

import math
import re
from urllib.parse import unquote_to_bytes

from proctor.errors import ConfigError
from proctor.scoring.estimates import Estimate
from proctor.types import Outcome

SCORE_METRICS = ("score", "stderr", "ci_low", "ci_high")
"""Metrics of a score; left out, like pass@k and maj@k, where the coverage is too low."""

COUNTED_OUTCOMES = (Outcome.TRUNCATED, Outcome.MALFORMED, Outcome.UNGRADED, Outcome.FAILED)
"""Outcomes whose count is a metric; ``graded`` is what remains."""

COUNT_METRICS = ("coverage", "n", *(str(outcome) for outcome in COUNTED_OUTCOMES))
"""Metrics that are always there."""

MISSING_GROUP = "(missing)"
"""The group of the rows that have no value for a ``by`` field."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff%/]")


def valid_name(name: str) -> str:
    """An evaluator's, a grader's or a suite's name, if metric names can hold it.

    Raises:
        ConfigError: It is empty, holds a slash or a control character, or has spaces around it.
    """
    if not name or name != name.strip() or _UNSAFE.search(name):
        raise ConfigError(
            f"{name!r} can't be part of a metric's name",
            fix="use a name without '/', '%', control characters and spaces around it",
        )
    return name


def group_label(value: str | None) -> str:
    """A group's value as metric names have it.

    Slashes, percent signs and control characters are percent-encoded, so that two values never get
    one label; None is ``(missing)``.
    """
    if value is None:
        return MISSING_GROUP
    if value == MISSING_GROUP:
        return "%28missing)"
    return _UNSAFE.sub(_percent_encoded, value)


def group_value(label: str) -> str | None:
    """The group's value of a label that ``group_label`` made."""
    if label == MISSING_GROUP:
        return None
    written = label.encode("utf-8", "surrogatepass")
    try:
        return unquote_to_bytes(written).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise ConfigError(f"{label!r} is no label of a group") from None


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def check_min_coverage(min_coverage: float) -> float:
    """A ``min_coverage`` that is a share.

    Raises:
        ConfigError: It is not between 0 and 1.
    """
    if not 0.0 <= min_coverage <= 1.0:
        raise ConfigError(
            f"min_coverage is {min_coverage:g}", fix="give the share of answers, from 0 to 1"
        )
    return float(min_coverage)


def withheld_reason(estimate: Estimate, min_coverage: float) -> str | None:
    """Why an estimate is no headline; None where it is one."""
    if not estimate.pairs:
        return "there are no samples"
    if not estimate.samples:
        return f"none of {estimate.pairs} answers has a grade"
    if estimate.unread:
        return "stopped before all rows were read; how many are missing can't be told"
    if estimate.coverage < min_coverage:
        return (
            f"{estimate.samples} of {estimate.pairs} answers have a grade, "
            f"under min_coverage {min_coverage:g}"
        )
    return None


def flat_metrics(prefix: str, estimate: Estimate, *, withheld: bool) -> dict[str, float]:
    """The metrics of one estimate, by name; what is not known is left out.

    Args:
        prefix: What the names begin with, without a slash at its end.
        estimate: The estimate.
        withheld: Whether the coverage is too low for a score.
    """
    metrics: dict[str, float] = {}
    if not withheld:
        metrics |= {name: getattr(estimate, name) for name in SCORE_METRICS}
        for kind, by_k in (("pass", estimate.pass_at_k), ("maj", estimate.maj_at_k)):
            metrics |= {f"{kind}@{k}": at_k.score for k, at_k in by_k.items() if at_k.reported}
    metrics["coverage"] = estimate.coverage
    metrics["n"] = float(estimate.n)
    metrics |= {str(outcome): float(estimate.counts[outcome]) for outcome in COUNTED_OUTCOMES}
    return {f"{prefix}/{key}": value for key, value in metrics.items() if math.isfinite(value)}
