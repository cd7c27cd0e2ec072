"""One execution of an evaluator of a config, whatever kind of evaluator it is."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from proctor.configs.config import ConfiguredEvaluator
from proctor.errors import ProctorError
from proctor.evaluators.bases import needs_training_client
from proctor.evaluators.capped_client import CappedClient, OnResponse
from proctor.evaluators.context import EvaluationContext
from proctor.evaluators.dataset_evaluator import ComponentEvaluator
from proctor.sampling.models import Client
from proctor.scoring.results import EvaluationResult
from proctor.waiting import Overdue, within

ForeignEvaluator: TypeAlias = Any  # an evaluator that a plugin or a person wrote
Returned: TypeAlias = Any  # a value that such an evaluator returned

CANCELLING_SECONDS = 1.0
"""How long an evaluator may take to end its requests when it is cancelled."""


class Execution(Protocol):
    """What an evaluator does once: ``DatasetRun`` is the model for it."""

    async def prepare(self) -> None:
        """Finds the evaluator's own mistakes; needs no model."""

    def connect(self, client: Client, context: EvaluationContext | None = None) -> None:
        """Takes the model."""

    async def result(self) -> object:
        """Asks the model, and says what its answers come to."""


def begin(
    entry: ConfiguredEvaluator, context: EvaluationContext, on_response: OnResponse | None = None
) -> Execution:
    """One execution of an evaluator.

    Args:
        entry: The evaluator.
        context: Limits, seed, budget, sink.
        on_response: Told of every answer to an evaluator that keeps no records.
    """
    named = context.named(entry.name)
    if isinstance(entry.evaluator, ComponentEvaluator):
        return entry.evaluator.begin(named)
    return CalledExecution(entry.evaluator, named, on_response)


async def result_of(entry: ConfiguredEvaluator, execution: Execution) -> EvaluationResult:
    """The result of an execution that is connected.

    Raises:
        ProctorError: There is none, or none under the evaluator's name.
    """
    returned = await within(execution.result(), None, grace=CANCELLING_SECONDS)
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


class CalledExecution:
    """One execution of an evaluator that is called with the client.

    Args:
        evaluator: One with ``evaluate(client, context)``, or a plain one.
        context: Limits, seed, budget, sink.
        on_response: Told of every answer to a plain one, which keeps no records.
    """

    def __init__(
        self,
        evaluator: ForeignEvaluator,
        context: EvaluationContext,
        on_response: OnResponse | None,
    ) -> None:
        self._evaluator = evaluator
        self._context = context
        self._on_response = on_response

    async def prepare(self) -> None:
        """Has an evaluator that can find its own mistakes.

        Raises:
            ProctorError: It found one.
        """
        if hasattr(self._evaluator, "prepare"):
            await self._evaluator.prepare(self._context)

    def connect(self, client: Client, context: EvaluationContext | None = None) -> None:
        """Takes the model, or the training client for an evaluator that needs it."""
        self._client = client
        self._context = context or self._context

    async def result(self) -> object:
        """What the evaluator returns.

        Raises:
            ProctorError: It was not done when the run's deadline came.
        """
        context = self._context
        if hasattr(self._evaluator, "evaluate"):
            # it heeds the deadline by itself: what came back by then is a result
            return await self._evaluator.evaluate(self._client, context)
        left = None if context.deadline is None else max(0.0, context.deadline - time.monotonic())
        client = self._client
        capped: CappedClient | None = None
        if not needs_training_client(self._evaluator):
            # it knows nothing of the budget, so its client has to
            client = capped = CappedClient(client, context, self._on_response)
        try:
            return await within(self._evaluator(client), left, grace=CANCELLING_SECONDS)
        except Overdue:
            raise ProctorError("it was not done at the deadline") from None
        finally:
            if capped is not None:
                capped.drop_requests()


def checked_metrics(name: str, numbers: object) -> dict[str, float]:
    """What a plain evaluator returned, if it is numbers by name.

    Raises:
        ProctorError: It is not, or is empty.
    """
    if not isinstance(numbers, Mapping) or not numbers:
        raise ProctorError(f"{name} returned no metrics", fix="return a dict of names to numbers")
    checked: dict[str, float] = {}
    for key, value in numbers.items():
        number = _number(value)
        if number is None:
            raise ProctorError(
                f"{name} returned {value!r:.100} as {key!r}, which is no number",
                fix="return a dict of names to numbers",
            )
        if str(key) in checked:
            raise ProctorError(f"{name} returned two metrics {str(key)!r}", fix="rename one")
        checked[str(key)] = number
    return checked


def _number(value: Returned) -> float | None:
    """A number as a float; None for what is none.

    A bool is 0 or 1, as Python has it. A Decimal, a scalar of numpy's and a tensor of one element
    are numbers; text is none, whatever it says.
    """
    try:
        # of a tensor with several elements it raises
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, (str, bytes, bytearray)):
            return None
        return float(value)
    except Exception:  # whatever a foreign object raises, it gives no number
        return None
