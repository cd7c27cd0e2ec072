"""How a run ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from proctor.scoring.json_fields import JsonFields
from proctor.scoring.results import EvaluationResult
from proctor.scoring.suite_results import SuiteResult


@dataclass(slots=True)
class RunReport:
    """How a run ended.

    Attributes:
        folder: The run's folder; None where nothing is kept.
        results: The result of each evaluator that finished, by name.
        suites: The means of each suite whose members all finished.
        errors: Why an evaluator has no result, by its name.
        is_interrupted: Whether a person stopped it.
        unwritten: Why its results are not in its folder; None where they are.
    """

    folder: Path | None = None
    results: dict[str, EvaluationResult] = field(default_factory=dict)
    suites: dict[str, SuiteResult] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    is_interrupted: bool = False
    unwritten: str | None = None

    def add_suites(self, suites: Mapping[str, Sequence[str]]) -> None:
        """Adds the means of each suite, given its members; an error where one has no result."""
        for suite, members in suites.items():
            results = [self.results[name] for name in members if name in self.results]
            if len(results) == len(members):
                self.suites[suite] = SuiteResult.from_results(suite, results)
            else:
                self.errors[suite] = "a member of the suite has no result"

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics by name."""
        metrics: dict[str, float] = {}
        for result in self.results.values():
            metrics |= result.metrics
        for suite in self.suites.values():
            metrics |= suite.metrics
        return metrics

    @property
    def status(self) -> str:
        """``interrupted``, ``failed`` or ``complete``."""
        if self.is_interrupted:
            return "interrupted"
        complete = self.results and all(result.is_complete for result in self.results.values())
        return "complete" if complete and not self.errors and not self.unwritten else "failed"

    @property
    def exit_code(self) -> int:
        """0 for a complete run, 1 for a failed one, 130 for an interrupted one."""
        return {"complete": 0, "failed": 1, "interrupted": 130}[self.status]

    def to_json(self) -> dict[str, object]:
        """What ``results.json`` holds."""
        return {
            "status": self.status,
            **({"unwritten": self.unwritten} if self.unwritten else {}),
            "metrics": self.metrics,
            "evaluators": {name: result.to_json() for name, result in self.results.items()},
            "suites": {name: suite.to_json() for name, suite in self.suites.items()},
            "errors": self.errors,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object], folder: Path | None = None) -> RunReport:
        """The report that ``to_json`` wrote.

        Args:
            raw: What ``results.json`` holds.
            folder: The run's folder.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        evaluators, suites = fields.fields("evaluators"), fields.fields("suites")
        errors = fields.fields("errors")
        return cls(
            folder=folder,
            results={n: EvaluationResult.from_json(evaluators.fields(n)) for n in evaluators},
            suites={n: SuiteResult.from_json(suites.fields(n)) for n in suites},
            errors={name: errors.text(name) for name in errors},
            is_interrupted=fields.text("status") == "interrupted",
        )
