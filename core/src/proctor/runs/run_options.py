"""How to run a config, beside what the config says."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctor.evaluators.context import Progress
from proctor.sampling.budget import StopSignal


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run a config, whatever it evaluates.

    Attributes:
        progress: Told how it goes.
        stop: Set when a person interrupts.
        limit: Most examples of each evaluator.
        is_strict: Whether a renderer that looks wrong is an error.
    """

    progress: Progress = field(default_factory=Progress)
    stop: StopSignal = field(default_factory=StopSignal)
    limit: int | None = None
    is_strict: bool = False
