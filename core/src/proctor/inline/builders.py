"""Evaluator builders: what the configs of training loops hold."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proctor.configs.config import Config, ConfiguredEvaluator
from proctor.errors import ConfigError
from proctor.evaluators.bases import (
    SamplingClientEvaluator,
    TrainingClientEvaluator,
    needs_training_client,
)
from proctor.inline.source import ConfigSource, load_inline_config
from proctor.inline.step import StepEvaluator
from proctor.plugins.active import plugin_manager
from proctor.runs.description import described_evaluator
from proctor.sampling.budget import RequestBudget
from proctor.sampling.models import Client

logger = logging.getLogger("proctor")


class InlineEvaluator:
    """An evaluator as a training loop calls it: one that can't end training.

    The loop decides when to call it, and does not say at which step it is: calls are counted, and
    an evaluator's own ``every`` is a number of calls.

    Args:
        config: The config that it is from.
        entry: The evaluator.
        budget: Slots for requests, shared with the other evaluators of the config.
    """

    def __init__(self, config: Config, entry: ConfiguredEvaluator, budget: RequestBudget) -> None:
        self.name = entry.name
        self._entry = entry
        folder = config.options.inline.log_path
        self._evaluator = StepEvaluator(
            config,
            log_path=None if folder is None else folder / "evaluations" / entry.name,
            budget=budget,
        )
        self._calls = 0

    async def __call__(self, client: Client) -> dict[str, float]:
        """Evaluates a client's model; returns the metrics by name, none for a call to pass over.

        Raises:
            ConfigError: The client is not of the kind that the evaluator needs.
            RunError: The evaluator failed, and the config says ``on_error: raise``.
        """
        call, self._calls = self._calls, self._calls + 1
        takes_training = needs_training_client(self._entry.evaluator)
        if takes_training and not hasattr(client, "forward_backward"):
            raise ConfigError(
                f"{self.name} needs a training client, and this loop gives a sampling client",
                fix="leave it out, as of RL configs",
            )
        if self._entry.every is not None and call % self._entry.every:
            return {}
        with self._evaluator.begin(call, [self._entry]) as evaluation:
            await self._evaluator.enter_loop([self._entry])
            if takes_training:
                await evaluation.run_training(client)
            else:
                await evaluation.run_sampling(client)
            return evaluation.finish()


class InlineSamplingEvaluator(InlineEvaluator, SamplingClientEvaluator):
    """An inline evaluator that samples."""


class InlineTrainingEvaluator(InlineEvaluator, TrainingClientEvaluator):
    """An inline evaluator that needs the training client."""


@dataclass(frozen=True)
class EvaluatorBuilder:
    """A callable that makes one evaluator of a config, for a training loop's own config.

    Attributes:
        name: What its metrics' names begin with.
        config: The config that it is from.
        entry: The evaluator.
        budget: Slots for requests, shared by all builders of a list.
    """

    name: str
    config: Config = field(repr=False)
    entry: ConfiguredEvaluator = field(repr=False)
    budget: RequestBudget = field(repr=False)

    def __call__(self) -> Any:  # a plugin may have adapted it to a library's own class
        """The evaluator, as the training loop at hand wants it.

        Raises:
            PluginError: A plugin that adapts evaluators raised.
        """
        takes_training = needs_training_client(self.entry.evaluator)
        kind = InlineTrainingEvaluator if takes_training else InlineSamplingEvaluator
        evaluator = kind(self.config, self.entry, self.budget)
        adapted = plugin_manager().adapt_evaluator(evaluator)
        if adapted is evaluator and "tinker_cookbook" in sys.modules:
            logger.warning(
                "tinker-cookbook's training loops take no evaluator of Proctor's without "
                "proctor-cookbook: pip install proctor-cookbook"
            )
        return adapted

    def to_dict(self) -> dict[str, object]:
        """The evaluator's spec, without secrets: what training loops write to disk."""
        options = self.config.options
        return {
            "evaluator": self.name,
            **described_evaluator(self.entry.evaluator),
            "every": self.entry.every,
            "infrequent": self.entry.is_infrequent,
            "sampling": options.sampling.model_dump(mode="json"),
            "renderer": options.renderer,
            "seed": options.seed,
            "min_coverage": options.min_coverage,
        }


def evaluator_builders(
    source: ConfigSource, *, log_path: Path | str | None = None
) -> list[EvaluatorBuilder]:
    """Builders of a config's evaluators, for a training config's ``evaluator_builders``.

    Those with ``infrequent: true`` are left to ``infrequent_evaluator_builders``.

    Args:
        source: A YAML file, the same as a mapping, or a list of evaluators.
        log_path: The training's log folder. The samples of each call go to
            ``evaluations/NAME/step-CALL`` under it; without one, no samples are kept.

    Raises:
        ConfigError: It is no config, or something in it is wrong.
    """
    return _builders(source, log_path, is_infrequent=False)


def infrequent_evaluator_builders(
    source: ConfigSource, *, log_path: Path | str | None = None
) -> list[EvaluatorBuilder]:
    """Builders of a config's evaluators that have ``infrequent: true``.

    For a training config's ``infrequent_evaluator_builders``; else as ``evaluator_builders``.

    Raises:
        ConfigError: It is no config, or something in it is wrong.
    """
    return _builders(source, log_path, is_infrequent=True)


def _builders(
    source: ConfigSource, log_path: Path | str | None, *, is_infrequent: bool
) -> list[EvaluatorBuilder]:
    config = load_inline_config(source, log_path=log_path)
    if config.options.inline.mode == "background":
        logger.warning(
            "'mode: background' has no effect in builders: the loop that calls them waits"
        )
    budget = RequestBudget(config.options.concurrency)
    return [
        EvaluatorBuilder(entry.name, config, entry, budget)
        for entry in config.evaluators
        if entry.is_infrequent is is_infrequent
    ]
