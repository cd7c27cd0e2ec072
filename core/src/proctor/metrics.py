"""Metrics: the flat names that trackers get, and the result of an evaluation.

Names are ``{evaluator}/{grader}/{metric}``, ``{evaluator}/score`` for the first grader, and
``{evaluator}/{grader}/{field}={value}/{metric}`` for the values of a ``by`` field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proctor.errors import ConfigError
from proctor.estimates import Estimate
from proctor.graders import GradeTally
from proctor.ledger import Ledger
from proctor.pass_at_k import reported_ks
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


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def declared_names(evaluator: str, graders: Iterable[str], num_samples: int = 1) -> frozenset[str]:
    """The metric names that a graded evaluator may write, except those of ``by`` groups."""
    at_k: tuple[str, ...] = ()
    if num_samples > 1:
        at_k = tuple(f"{kind}@{k}" for kind in ("pass", "maj") for k in reported_ks(num_samples))
    metrics = (*SCORE_METRICS, *COUNT_METRICS, *at_k)
    names = {f"{evaluator}/{grader}/{metric}" for grader in graders for metric in metrics}
    return frozenset(names | {f"{evaluator}/score"})


def colliding_names(declared: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    """The metric names that more than one evaluator would write.

    Args:
        declared: Each evaluator, described for a message, with the names that it writes.

    Returns:
        The writers of each name that has several, by name.
    """
    writers: dict[str, list[str]] = {}
    for evaluator, names in declared:
        for name in set(names):
            writers.setdefault(name, []).append(evaluator)
    return {name: owners for name, owners in sorted(writers.items()) if len(owners) > 1}


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


@dataclass(frozen=True, slots=True)
class GraderResult:
    """What an evaluation says by one grader.

    Attributes:
        grader: The grader's name.
        estimate: The estimate over all examples.
        withheld: Why there is no headline; None where there is one.
        groups: The estimates for each value of each ``by`` field; None is for rows without one.
        tally: What the grader counted beside its score.
        notes: What the grader says of its score, a line each.
    """

    grader: str
    estimate: Estimate
    withheld: str | None
    groups: Mapping[str, Mapping[str | None, Estimate]] = field(default_factory=dict)
    tally: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The result as JSON: the estimate's keys, and ``grader``, ``withheld`` and ``by``."""
        by = {
            name: {group_label(value): estimate.to_json() for value, estimate in groups.items()}
            for name, groups in self.groups.items()
        }
        return {
            "grader": self.grader,
            "withheld": self.withheld,
            **self.estimate.to_json(),
            "by": by,
            "tally": dict(self.tally),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What an evaluator found out about a model.

    Attributes:
        name: The evaluator's name.
        metrics: What trackers get: finite numbers by their full names.
        graders: One result for each grader, the first of which gives the evaluator's score; none
            for an evaluator that only returns numbers.
        min_coverage: The coverage that a headline needs.
        withheld: Why the evaluator has no score; None where it has one.
        details: Anything else for the record: renderer, dataset, what was interrupted.
    """

    name: str
    metrics: Mapping[str, float]
    graders: tuple[GraderResult, ...] = ()
    min_coverage: float = 0.95
    withheld: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_ledger(
        cls,
        name: str,
        ledger: Ledger,
        *,
        min_coverage: float = 0.95,
        details: Mapping[str, Any] | None = None,
        tallies: Mapping[str, GradeTally] | None = None,
    ) -> EvaluationResult:
        """The result of a graded evaluation.

        Args:
            name: The evaluator's name.
            ledger: All outcomes.
            min_coverage: The coverage that a headline needs.
            details: Anything else for the record.
            tallies: What graders counted, by their names.

        Raises:
            ConfigError: The name or ``min_coverage`` can't be.
        """
        check_min_coverage(min_coverage)
        graders = []
        for column in ledger.columns:
            result = _grader_result(ledger, column.grader, min_coverage)
            if tallies and column.grader in tallies:
                result = _with_tally(result, tallies[column.grader])
            graders.append(result)
        return cls.from_graders(name, graders, min_coverage=min_coverage, details=details)

    @classmethod
    def from_graders(
        cls,
        name: str,
        graders: Sequence[GraderResult],
        *,
        min_coverage: float = 0.95,
        details: Mapping[str, Any] | None = None,
    ) -> EvaluationResult:
        """The result of an evaluator whose estimates are made; the first gives its score.

        Args:
            name: The evaluator's name.
            graders: What it says by each grader.
            min_coverage: The coverage that a headline needs.
            details: Anything else for the record.

        Raises:
            ConfigError: The name of the evaluator, or of a grader, can't be.
        """
        valid_name(name)
        metrics: dict[str, float] = {}
        for result in graders:
            prefix = f"{name}/{valid_name(result.grader)}"
            withheld = result.withheld is not None
            counted = {f"{prefix}/{key}": value for key, value in result.tally.items()}
            metrics |= counted | flat_metrics(prefix, result.estimate, withheld=withheld)
            for by, groups in result.groups.items():
                for value, estimate in groups.items():
                    reason = withheld_reason(estimate, min_coverage)
                    group = f"{prefix}/{by}={group_label(value)}"
                    metrics |= flat_metrics(group, estimate, withheld=reason is not None)
        first = graders[0]
        if first.withheld is None:
            metrics = {f"{name}/score": first.estimate.score, **metrics}
        return cls(name, metrics, tuple(graders), min_coverage, first.withheld, details or {})

    @classmethod
    def from_metrics(
        cls, name: str, metrics: Mapping[str, float], *, details: Mapping[str, Any] | None = None
    ) -> EvaluationResult:
        """The result of an evaluator that only returns numbers: they become ``{name}/{key}``.

        Numbers that are not finite are left out; without any other, there is no score.

        Raises:
            ConfigError: The name can't be part of a metric's name.
        """
        valid_name(name)
        finite = {
            f"{name}/{key}": float(value) for key, value in metrics.items() if math.isfinite(value)
        }
        withheld = None if finite else "the evaluator returned no finite number"
        return cls(name, finite, withheld=withheld, details=details or {})

    @classmethod
    def joined(
        cls,
        name: str,
        parts: Mapping[str, EvaluationResult],
        *,
        details: Mapping[str, Any] | None = None,
    ) -> EvaluationResult:
        """The result of an evaluator of several parts, such as tasks.

        A part's metric ``{part}/...`` becomes ``{name}/{part}/...``, and its graders are called
        ``{part}/{grader}``. The first part gives the evaluator's score.

        Args:
            name: The evaluator's name.
            parts: The result of each part, under the name that it was made with.
            details: Anything else for the record; the parts' own are under their names.

        Raises:
            ConfigError: The name can't be.
        """
        valid_name(name)
        first = next(iter(parts.values()))
        metrics = {
            f"{name}/{key}": value for part in parts.values() for key, value in part.metrics.items()
        }
        if f"{first.name}/score" in first.metrics:
            metrics = {f"{name}/score": first.metrics[f"{first.name}/score"], **metrics}
        graders = tuple(
            replace(grader, grader=f"{part.name}/{grader.grader}")
            for part in parts.values()
            for grader in part.graders
        )
        own = {part: dict(result.details) for part, result in parts.items()}
        return cls(
            name, metrics, graders, first.min_coverage, first.withheld, {**own, **(details or {})}
        )

    @property
    def is_complete(self) -> bool:
        """Whether every grader has a headline."""
        return self.withheld is None and all(grader.withheld is None for grader in self.graders)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON: what ``results.json`` holds and ``--json`` prints."""
        return {
            "evaluator": self.name,
            "withheld": self.withheld,
            "min_coverage": self.min_coverage,
            "metrics": dict(self.metrics),
            "graders": [grader.to_json() for grader in self.graders],
            "details": dict(self.details),
        }


def _grader_result(ledger: Ledger, grader: str, min_coverage: float) -> GraderResult:
    estimate = ledger.estimate(grader, min_coverage=min_coverage)
    groups = {
        by: {
            value: ledger.estimate(grader, (by, value), min_coverage=min_coverage)
            for value in ledger.group_values(by)
        }
        for by in ledger.by
    }
    return GraderResult(grader, estimate, withheld_reason(estimate, min_coverage), groups)


def _with_tally(result: GraderResult, tally: GradeTally) -> GraderResult:
    """A grader's result with what it counted, as far as those are finite numbers."""
    counted = {
        valid_name(key): float(value)
        for key, value in tally.metrics(result.estimate).items()
        if math.isfinite(value)
    }
    return replace(result, tally=counted, notes=tuple(tally.notes(result.estimate)))
