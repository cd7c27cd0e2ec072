"""What the hooks of plugins are given."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run as observers get it: a copy, by which two runs of one process are told apart.

    Attributes:
        folder: The run's folder; None where nothing is kept.
        record: What ``run.json`` holds by now.
        step: The training step, inline; None offline.
    """

    folder: Path | None
    record: Mapping[str, object]
    step: int | None = None


class ObservedResult(Protocol):
    """What observers may rely on of an ``EvaluationResult``."""

    @property
    def name(self) -> str:
        """The evaluator's name."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """What trackers get: finite numbers by their full names."""

    @property
    def withheld(self) -> str | None:
        """Why the evaluator has no score; None where it has one."""

    @property
    def details(self) -> Mapping[str, object]:
        """Anything else for the record."""

    def to_json(self) -> dict[str, object]:
        """The result as ``results.json`` has it."""


class CalledEvaluator(Protocol):
    """An evaluator as a training loop calls it."""

    def __call__(self, client: object, /) -> Awaitable[Mapping[str, float]]:
        """Evaluates the model behind a client; the metrics by name."""
