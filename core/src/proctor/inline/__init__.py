"""Evaluations inside a training loop: of one's own, or of a library that takes builders."""

from proctor.inline.builders import (
    EvaluatorBuilder as EvaluatorBuilder,
    evaluator_builders as evaluator_builders,
    infrequent_evaluator_builders as infrequent_evaluator_builders,
)
from proctor.inline.evaluations import InlineEvaluations as InlineEvaluations
