"""The graded evaluator, which most configs compose."""

from __future__ import annotations

from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.graded_options import GradedOptions
from proctor.evaluators.graded_run import GradedRun


class GradedEvaluator(GradedOptions):
    """A dataset, sampled through a renderer and graded."""

    def begin(self, context: EvaluationContext) -> GradedRun:
        """One execution: it samples and grades every selected example."""
        return GradedRun(self, context)
