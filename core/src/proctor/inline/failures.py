"""Failures of evaluators in training: said once, counted each time."""

from __future__ import annotations

import logging
from collections import Counter

from proctor.evaluators.context import Progress

logger = logging.getLogger("proctor")


class FailureLog:
    """Keeps failing evaluators from ending training, and from going unseen."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._said: set[tuple[str, str]] = set()

    def failed(self, evaluator: str, reason: str, step: int) -> None:
        """Counts a failure, and logs its reason unless it was logged before."""
        self._counts[evaluator] += 1
        self.say(evaluator, f"no result at step {step}", reason)

    def say(self, evaluator: str, what: str, reason: str) -> None:
        """Logs something of an evaluator, unless its reason was logged before."""
        if (evaluator, reason) not in self._said:
            self._said.add((evaluator, reason))
            logger.warning("%s: %s: %s", evaluator, what, reason)

    def metrics(self, evaluators: list[str]) -> dict[str, float]:
        """How often each of some evaluators has failed so far; those that never did are absent."""
        return {
            f"{name}/failed_evaluations": float(self._counts[name])
            for name in evaluators
            if self._counts[name]
        }


class LoggedWarnings(Progress):
    """Logs what a person should know of an evaluation, each thing once."""

    def __init__(self, log: FailureLog) -> None:
        self._log = log

    def warn(self, evaluator: str, message: str) -> None:
        """Logs a warning."""
        self._log.say(evaluator, "warning", message)
