"""Suites: the micro and the macro mean of several evaluators' scores.

Both are weighted sums ``sum_i w_i * score_i``: the macro mean weighs each evaluator alike,
``w_i = 1 / K``; the micro mean by its samples that are not missing, ``w_i = n_i / sum n``. Taking
the evaluators as independent, ``SE**2 = sum_i w_i**2 * SE_i**2`` (Miller 2024, arXiv:2411.00640).
The interval is put together from the evaluators' own intervals ``[l_i, u_i]``, and so keeps to the
scale and holds where a score is at its end::

    low  = mean - sqrt(sum_i w_i**2 * (score_i - l_i)**2)
    high = mean + sqrt(sum_i w_i**2 * (u_i - score_i)**2)

the method of variance estimates recovery of Zou, G. Y. and Donner, A. (2008). Construction of
confidence limits about effect measures: a general approach. Statistics in Medicine 27, 1693-1702.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proctor.errors import ConfigError
from proctor.scoring.estimates import Estimate
from proctor.scoring.json_fields import JsonFields
from proctor.scoring.means import Mean
from proctor.scoring.metric_names import valid_name
from proctor.scoring.results import EvaluationResult


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What a suite says: the means of its evaluators' scores, each by its first grader.

    Attributes:
        name: The suite's name.
        evaluators: Its evaluators' names.
        micro: The mean over all samples; None where it is withheld.
        macro: The mean over the evaluators; None where it is withheld.
        n: Examples of all evaluators.
        coverage: The share of all samples that is not missing.
        withheld: Why there are no means; None where there are.
        metrics: What trackers get, by full name.
    """

    name: str
    evaluators: tuple[str, ...]
    micro: Mean | None
    macro: Mean | None
    n: int
    coverage: float
    withheld: str | None
    metrics: Mapping[str, float]

    @classmethod
    def from_results(cls, name: str, results: Sequence[EvaluationResult]) -> SuiteResult:
        """The means of several evaluators, withheld where one of their scores is.

        Raises:
            ConfigError: The suite is empty, an evaluator has no graders, or the scales differ.
        """
        valid_name(name)
        estimates = _first_estimates(name, results)
        check_scales(
            name, [(r.name, (e.worst, e.best)) for r, e in zip(results, estimates, strict=True)]
        )
        samples = sum(estimate.samples for estimate in estimates)
        pairs = sum(estimate.pairs for estimate in estimates)
        without = [result.name for result in results if result.withheld is not None]
        micro = macro = None
        if not without:
            micro = _weighted(estimates, [estimate.samples / samples for estimate in estimates])
            macro = _weighted(estimates, [1 / len(estimates)] * len(estimates))
        n = sum(estimate.n for estimate in estimates)
        coverage = samples / pairs if pairs else 0.0
        metrics = {f"{name}/coverage": coverage, f"{name}/n": float(n)}
        for kind, mean in (("micro", micro), ("macro", macro)):
            values = mean.numbers() if mean else {}
            metrics |= {f"{name}/{kind}/{key}": v for key, v in values.items() if v is not None}
        return cls(
            name=name,
            evaluators=tuple(result.name for result in results),
            micro=micro,
            macro=macro,
            n=n,
            coverage=coverage,
            withheld=f"no score for {', '.join(without)}" if without else None,
            metrics=metrics,
        )

    def to_json(self) -> dict[str, object]:
        """The result as JSON."""
        return {
            "suite": self.name,
            "evaluators": list(self.evaluators),
            "micro": self.micro.to_json() if self.micro else None,
            "macro": self.macro.to_json() if self.macro else None,
            "n": self.n,
            "coverage": self.coverage,
            "withheld": self.withheld,
            "metrics": dict(self.metrics),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> SuiteResult:
        """The result that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        micro, macro = fields.optional_fields("micro"), fields.optional_fields("macro")
        return cls(
            name=fields.text("suite"),
            evaluators=fields.texts("evaluators"),
            micro=None if micro is None else Mean.from_json(micro),
            macro=None if macro is None else Mean.from_json(macro),
            n=fields.count("n"),
            coverage=fields.number("coverage"),
            withheld=fields.optional_text("withheld"),
            metrics=fields.numbers("metrics"),
        )


def check_scales(suite: str, scales: Sequence[tuple[str, tuple[float | None, float]]]) -> None:
    """Refuses to average scores whose scales differ. For use before anything is sampled, too.

    Args:
        suite: The suite's name.
        scales: Each evaluator's name, and the (worst, best) of its first grader.

    Raises:
        ConfigError: Two differ.
    """
    first_name, first = scales[0]
    for name, scale in scales[1:]:
        if scale != first:
            raise ConfigError(
                f"the scores of {first_name} and {name} can't be averaged: their scales are "
                f"{_scale_text(first)} and {_scale_text(scale)}",
                where=f"suite {suite}",
                fix="group evaluators whose first graders have one scale",
            )


def _scale_text(scale: tuple[float | None, float]) -> str:
    worst, best = scale
    return f"{'open' if worst is None else f'{worst:g}'} (worst) to {best:g} (best)"


def _first_estimates(name: str, results: Sequence[EvaluationResult]) -> list[Estimate]:
    if not results:
        raise ConfigError("the suite has no evaluators", where=f"suite {name}", fix="add one")
    for result in results:
        if not result.graders:
            raise ConfigError(
                f"{result.name} gives numbers without samples, which have no mean",
                where=f"suite {name}",
                fix="leave it out of the suite",
            )
    return [result.graders[0].estimate for result in results]


def _weighted(estimates: Sequence[Estimate], weights: Sequence[float]) -> Mean:
    parts = list(zip(estimates, weights, strict=True))
    mean = math.fsum(w * e.score for e, w in parts)
    below = math.fsum((w * (e.score - e.ci_low)) ** 2 for e, w in parts)
    above = math.fsum((w * (e.ci_high - e.score)) ** 2 for e, w in parts)
    stderr = math.sqrt(math.fsum((w * e.stderr) ** 2 for e, w in parts))
    doubts = dict.fromkeys(e.interval_doubt for e in estimates if e.interval_doubt is not None)
    return Mean(
        mean,
        stderr,
        mean - math.sqrt(below),
        mean + math.sqrt(above),
        interval_doubt=", ".join(doubts) or None,
    )
