"""The base classes of evaluators."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tinker

    from proctor.sampling.models import Client


class SamplingClientEvaluator:
    """Base of evaluators that sample: subclass it and write ``__call__``.

    A plain class: it needs no options and no constructor of Proctor's. One that also has
    ``async evaluate(client, context) -> EvaluationResult`` gets intervals, coverage, limits and
    deadlines; a plain one gets its numbers recorded.
    """

    async def __call__(self, sampling_client: Client) -> dict[str, float]:
        """Evaluates the model behind a sampling client; returns metrics by name."""
        raise NotImplementedError


class TrainingClientEvaluator:
    """Base of evaluators that need the training client itself, such as for its loss."""

    async def __call__(self, training_client: tinker.TrainingClient) -> dict[str, float]:
        """Evaluates the model that a training client trains; returns metrics by name."""
        raise NotImplementedError


def needs_training_client(evaluator: object) -> bool:
    """Whether an evaluator is called with the training client, not with a sampling client.

    tinker-cookbook's base class has the same name as ours, and is known by it.
    """
    return any(
        base.__name__ == TrainingClientEvaluator.__name__ for base in type(evaluator).__mro__
    )
