"""Metrics: the flat names that trackers get, and the result of an evaluation.

Names are ``{evaluator}/{grader}/{metric}``, ``{evaluator}/score`` for the first grader, and
``{evaluator}/{grader}/{field}={value}/{metric}`` for the values of a ``by`` field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from proctor.scoring.estimates import Estimate
from proctor.scoring.grades import GradeTally
from proctor.scoring.json_fields import JsonFields
from proctor.scoring.ledger import Ledger
from proctor.scoring.metric_names import (
    check_min_coverage,
    flat_metrics,
    group_label,
    group_value,
    valid_name,
    withheld_reason,
)
from proctor.scoring.whole_dataset import DrawnRows, WholeDatasetMean

UNREAD = "unread"
"""The detail that says whether rows were never read, in a dataset that nothing counted."""


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
        whole_dataset: The score that all rows of the dataset would have, where a ``limit`` took a
            tenth of them or more, nothing is missing and no noise of sampling is left out of
            account; else None.
    """

    grader: str
    estimate: Estimate
    withheld: str | None
    groups: Mapping[str, Mapping[str | None, Estimate]] = field(default_factory=dict)
    tally: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    whole_dataset: WholeDatasetMean | None = None

    def to_json(self) -> dict[str, object]:
        """The result as JSON: the estimate's keys, and ``grader``, ``withheld`` and ``by``."""
        whole = self.whole_dataset
        by = {
            name: {group_label(value): estimate.to_json() for value, estimate in groups.items()}
            for name, groups in self.groups.items()
        }
        return {
            "grader": self.grader,
            "withheld": self.withheld,
            **self.estimate.to_json(),
            "whole_dataset": None if whole is None else whole.to_json(),
            "by": by,
            "tally": dict(self.tally),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> GraderResult:
        """The result that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        by = fields.fields("by")
        # files written before this key have none
        whole = fields.optional_fields("whole_dataset") if "whole_dataset" in fields else None
        return cls(
            grader=fields.text("grader"),
            estimate=Estimate.from_json(fields),
            withheld=fields.optional_text("withheld"),
            groups={name: _groups_from(by.fields(name)) for name in by},
            tally=fields.numbers("tally"),
            notes=fields.texts("notes"),
            whole_dataset=None if whole is None else WholeDatasetMean.from_json(whole),
        )


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
    details: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_ledger(
        cls,
        name: str,
        ledger: Ledger,
        *,
        min_coverage: float = 0.95,
        details: Mapping[str, object] | None = None,
        tallies: Mapping[str, GradeTally] | None = None,
        drawn: DrawnRows | None = None,
    ) -> EvaluationResult:
        """The result of a graded evaluation.

        Args:
            name: The evaluator's name.
            ledger: All outcomes.
            min_coverage: The coverage that a headline needs.
            details: Anything else for the record.
            tallies: What graders counted, by their names.
            drawn: The rows as a sample of their dataset; None where they are none, or where noise
                of sampling can't be told from what differs between rows.

        Raises:
            ConfigError: The name or ``min_coverage`` can't be.
        """
        check_min_coverage(min_coverage)
        graders = []
        for column in ledger.columns:
            result = _grader_result(ledger, column.grader, min_coverage)
            if drawn is not None and result.withheld is None:
                whole = ledger.estimate_whole_dataset(column.grader, drawn)
                result = replace(result, whole_dataset=whole)
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
        details: Mapping[str, object] | None = None,
    ) -> EvaluationResult:
        """The result of an evaluator whose estimates are made; the first gives its score.

        Args:
            name: The evaluator's name.
            graders: What it says by each grader.
            min_coverage: The coverage that a headline needs.
            details: Anything else for the record. Where ``unread`` is true, rows that nobody
                counted were never read: there is no headline, whatever the coverage of the rest.

        Raises:
            ConfigError: The name of the evaluator, or of a grader, can't be.
        """
        valid_name(name)
        if details and details.get(UNREAD):
            graders = [_with_unread_rows(result, min_coverage) for result in graders]
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
        cls, name: str, metrics: Mapping[str, float], *, details: Mapping[str, object] | None = None
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
        details: Mapping[str, object] | None = None,
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

    def to_json(self) -> dict[str, object]:
        """The result as JSON: what ``results.json`` holds and ``--json`` prints."""
        return {
            "evaluator": self.name,
            "withheld": self.withheld,
            "min_coverage": self.min_coverage,
            "metrics": dict(self.metrics),
            "graders": [grader.to_json() for grader in self.graders],
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> EvaluationResult:
        """The result that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        return cls(
            name=fields.text("evaluator"),
            metrics=fields.numbers("metrics"),
            graders=tuple(map(GraderResult.from_json, fields.each("graders"))),
            min_coverage=fields.number("min_coverage"),
            withheld=fields.optional_text("withheld"),
            details=dict(fields.fields("details")),
        )


def _groups_from(fields: JsonFields) -> dict[str | None, Estimate]:
    return {group_value(label): Estimate.from_json(fields.fields(label)) for label in fields}


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


def _with_unread_rows(result: GraderResult, min_coverage: float) -> GraderResult:
    """A grader's result where rows were never read, neither in its score nor in its groups."""

    def marked(estimate: Estimate) -> Estimate:
        return replace(estimate, unread=True, bounds=None)

    estimate = marked(result.estimate)
    groups = {
        by: {value: marked(group) for value, group in values.items()}
        for by, values in result.groups.items()
    }
    reason = withheld_reason(estimate, min_coverage)
    return replace(result, estimate=estimate, groups=groups, withheld=reason, whole_dataset=None)


def _with_tally(result: GraderResult, tally: GradeTally) -> GraderResult:
    """A grader's result with what it counted, as far as those are finite numbers."""
    counted = {
        valid_name(key): float(value)
        for key, value in tally.metrics(result.estimate).items()
        if math.isfinite(value)
    }
    return replace(result, tally=counted, notes=tuple(tally.notes(result.estimate)))
