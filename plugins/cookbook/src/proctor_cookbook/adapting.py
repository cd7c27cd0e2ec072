"""Evaluators as tinker-cookbook's training loops take them."""

from __future__ import annotations

from typing import Any

import tinker
from tinker_cookbook.eval import evaluators as cookbook

import proctor
from proctor_cookbook.supported import check_version


class AdaptedSamplingEvaluator(proctor.SamplingClientEvaluator, cookbook.SamplingClientEvaluator):
    """An evaluator of Proctor's that tinker-cookbook takes for one of its own.

    Args:
        evaluator: The evaluator.
    """

    def __init__(self, evaluator: Any) -> None:
        self.evaluator = evaluator

    async def __call__(self, sampling_client: tinker.SamplingClient) -> dict[str, float]:
        """Evaluates the model behind a sampling client; returns metrics by name."""
        metrics: dict[str, float] = await self.evaluator(sampling_client)
        return metrics


class AdaptedTrainingEvaluator(proctor.TrainingClientEvaluator, cookbook.TrainingClientEvaluator):
    """The same for an evaluator that needs the training client.

    Args:
        evaluator: The evaluator.
    """

    def __init__(self, evaluator: Any) -> None:
        self.evaluator = evaluator

    async def __call__(self, training_client: tinker.TrainingClient) -> dict[str, float]:
        """Evaluates the model that a training client trains; returns metrics by name."""
        metrics: dict[str, float] = await self.evaluator(training_client)
        return metrics


def adapted(evaluator: Any) -> Any | None:
    """The evaluator with tinker-cookbook's base class; None where it has it already.

    Raises:
        PluginError: The installed tinker-cookbook is not supported.
    """
    check_version()
    if isinstance(evaluator, (cookbook.SamplingClientEvaluator, cookbook.TrainingClientEvaluator)):
        return None
    if isinstance(evaluator, proctor.TrainingClientEvaluator):
        return AdaptedTrainingEvaluator(evaluator)
    return AdaptedSamplingEvaluator(evaluator)
