"""One evaluator of a config, prepared and executed, whatever kind of evaluator it is."""

from __future__ import annotations
import math
import time
from proctor.configs.config import ConfiguredEvaluator
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.graded_run import Evaluation
from proctor.evaluators.graded import GradedEvaluator
from typing import Any
from proctor.evaluators.capped_client import OnResponse
from proctor.scoring.results import EvaluationResult
from dataclasses import replace
from proctor.evaluators.capped_client import CappedClient
from proctor.errors import ProctorError
from proctor.evaluators.bases import needs_training_client
from proctor.waiting import Overdue
from proctor.waiting import within
from collections.abc import Mapping


async def prepare(entry: ConfiguredEvaluator, context: EvaluationContext) -> Evaluation | None:
    """Has an evaluator find its own mistakes, for which it needs no model.

    Returns:
        The evaluation of a graded evaluator, to be connected to a model; None for others.

    Raises:
        ProctorError: Its dataset, a grader or a task can't be used.
    """
    if isinstance(entry.evaluator, GradedEvaluator):
        evaluation = Evaluation(entry.evaluator, context.named(entry.name))
        await evaluation.prepare()
        return evaluation
    if hasattr(entry.evaluator, "prepare"):
        await entry.evaluator.prepare(context.named(entry.name))
    return None

async def evaluate(
    entry: ConfiguredEvaluator,
    evaluation: Evaluation | None,
    client: Any,
    context: EvaluationContext,
    on_response: OnResponse | None = None,
) -> EvaluationResult:
    """The result of an evaluator.

    Args:
        entry: The evaluator.
        evaluation: What ``prepare`` returned, connected to the model.
        client: The sampling client, or the training client for an evaluator that needs it.
        context: Limits, seed, budget, sink.
        on_response: Told of every answer to an evaluator that keeps no records.

    Raises:
        ProctorError: It has no result, or none under its own name.
    """
    if evaluation is not None:
        return await evaluation.run()
    return await _evaluate_custom(entry, client, context.named(entry.name), on_response)

async def _evaluate_custom(
    entry: ConfiguredEvaluator,
    client: Any,
    context: EvaluationContext,
    on_response: OnResponse | None,
) -> EvaluationResult:
    """The result of an evaluator that is not composed of a dataset and graders.

    Raises:
        ProctorError: What it returned is no result under its name, or it was not done when the
            run's deadline came.
    """
    if hasattr(entry.evaluator, "evaluate"):
        # it heeds the deadline by itself: what came back by then is a result
        returned = await within(entry.evaluator.evaluate(client, context), None)
    else:
        deadline = context.deadline
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            # it knows nothing of the budget, so its client has to
            if not needs_training_client(entry.evaluator):
                client = CappedClient(client, context, on_response)
            returned = await within(entry.evaluator(client), left)
        except Overdue:
            raise ProctorError("it was not done at the deadline") from None
    if isinstance(returned, EvaluationResult):
        if not returned.metrics and returned.withheld is None:
            raise ProctorError(f"{entry.name} returned no metrics", fix="say why in 'withheld'")
        foreign = [key for key in returned.metrics if not key.startswith(f"{entry.name}/")]
        if foreign:
            raise ProctorError(
                f"{entry.name} returned the metric {foreign[0]!r}",
                fix=f"begin every name with '{entry.name}/': take it from context.name",
            )
        return replace(returned, name=entry.name)
    numbers = checked_metrics(entry.name, returned)
    result = EvaluationResult.from_metrics(entry.name, numbers)
    lost = [f"{key} is {value}" for key, value in numbers.items() if not math.isfinite(value)]
    return replace(result, withheld=", ".join(lost)) if lost else result

def checked_metrics(name: str, numbers: Any) -> dict[str, float]:
    """What a plain evaluator returned, if it is numbers by name.

    Raises:
        ProctorError: It is not, or is empty.
    """
    if not isinstance(numbers, Mapping) or not numbers:
        raise ProctorError(f"{name} returned no metrics", fix="return a dict of names to numbers")
    try:
        return {str(key): float(value) for key, value in numbers.items()}
    except (TypeError, ValueError):
        raise ProctorError(
            f"{name} returned {dict(numbers)!r:.200}", fix="return a dict of names to numbers"
        ) from None
