"""Estimates: what is said of one grader's score, in memory and in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from proctor.scoring.intervals import IntervalMethod
from proctor.scoring.json_fields import JsonFields
from proctor.scoring.means import Mean, doubt_from, known, mean_from
from proctor.types import Outcome


@dataclass(frozen=True, slots=True)
class SubsetEstimate(Mean):
    """pass@k or maj@k for one k: the mean over the examples with k samples that are not missing.

    Attributes:
        n: How many examples have k samples.
        coverage: Their share of all examples.
        reported: Whether the coverage is enough for the score to be a metric.
    """

    n: int
    coverage: float
    reported: bool

    def to_json(self) -> dict[str, object]:
        """The estimate as JSON; null for what is not known."""
        more = {"n": self.n, "coverage": self.coverage, "reported": self.reported}
        return Mean.to_json(self) | more

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> SubsetEstimate:
        """The estimate that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        return SubsetEstimate(
            *mean_from(fields),
            n=fields.count("n"),
            coverage=fields.number("coverage"),
            reported=fields.flag("reported"),
            interval_doubt=doubt_from(fields),
        )


@dataclass(frozen=True, slots=True)
class Estimate(Mean):
    """A grader's score: the mean over all pairs that are not missing, and how far to trust it.

    Attributes:
        method: How the interval was made.
        n: Examples with a pair that is not missing.
        clusters: Clusters of those examples.
        samples: Pairs that are not missing.
        pairs: All pairs.
        examples: All examples.
        coverage: ``samples / pairs``; 0 where there are none.
        bounds: The score if all missing pairs were worst, and if all were best; None on a scale
            without a worst value while pairs are missing.
        counts: Pairs of each outcome.
        unrecorded: Pairs that nothing was recorded for; they are missing.
        score_complete: The score over complete answers; None where no answer was truncated.
        worst: The worst value of the scale; None where it is open.
        best: The best value of the scale.
        proportion: Whether every grade is yes or no.
        pass_at_k: pass@k by k, for proportions with several samples an example.
        maj_at_k: maj@k by k, where answers are known and examples have several samples.
        unread: Whether more rows were to be read than were: neither ``pairs`` nor the coverage
            count those.
    """

    method: IntervalMethod
    n: int
    clusters: int
    samples: int
    pairs: int
    examples: int
    coverage: float
    bounds: tuple[float, float] | None
    counts: dict[Outcome, int]
    unrecorded: int
    score_complete: float | None
    worst: float | None
    best: float
    proportion: bool
    pass_at_k: dict[int, SubsetEstimate] = field(default_factory=dict)
    maj_at_k: dict[int, SubsetEstimate] = field(default_factory=dict)
    unread: bool = False

    @property
    def missing(self) -> int:
        """Pairs that are in no score."""
        return self.pairs - self.samples

    @property
    def lower_is_better(self) -> bool:
        """Whether the scale runs downwards."""
        return self.worst is not None and self.best < self.worst

    def to_json(self) -> dict[str, object]:
        """The estimate as JSON; null for what is not known."""
        complete = self.score_complete
        return Mean.to_json(self) | {
            "interval": self.method,
            "n": self.n,
            "clusters": self.clusters,
            "samples": self.samples,
            "pairs": self.pairs,
            "examples": self.examples,
            "coverage": self.coverage,
            "bounds": None
            if self.bounds is None
            else {"all_missing_worst": self.bounds[0], "all_missing_best": self.bounds[1]},
            "counts": {str(outcome): count for outcome, count in self.counts.items()},
            "unrecorded": self.unrecorded,
            "unread": self.unread,
            "score_complete": None if complete is None else known(complete),
            "scale": {"worst": self.worst, "best": self.best, "proportion": self.proportion},
            "pass_at_k": {str(k): at_k.to_json() for k, at_k in self.pass_at_k.items()},
            "maj_at_k": {str(k): at_k.to_json() for k, at_k in self.maj_at_k.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> Estimate:
        """The estimate that ``to_json`` wrote.

        Raises:
            ConfigError: A key is missing or wrong.
        """
        fields = JsonFields.of(raw)
        bounds, counts = fields.optional_fields("bounds"), fields.fields("counts")
        scale = fields.fields("scale")
        score_complete = fields.optional_number("score_complete")
        if score_complete is None and counts.count(Outcome.TRUNCATED):
            score_complete = math.nan
        return Estimate(
            *mean_from(fields),
            method=cast(IntervalMethod, fields.one_of("interval", get_args(IntervalMethod))),
            n=fields.count("n"),
            clusters=fields.count("clusters"),
            samples=fields.count("samples"),
            pairs=fields.count("pairs"),
            examples=fields.count("examples"),
            coverage=fields.number("coverage"),
            bounds=None
            if bounds is None
            else (bounds.number("all_missing_worst"), bounds.number("all_missing_best")),
            counts={outcome: counts.count(outcome) for outcome in Outcome},
            unrecorded=fields.count("unrecorded"),
            score_complete=score_complete,
            worst=scale.optional_number("worst"),
            best=scale.number("best"),
            proportion=scale.flag("proportion"),
            pass_at_k=_by_k(fields, "pass_at_k"),
            maj_at_k=_by_k(fields, "maj_at_k"),
            interval_doubt=doubt_from(fields),
            # Files written before this key were of runs that read all rows, or did not say.
            unread="unread" in fields and fields.flag("unread"),
        )


def _by_k(fields: JsonFields, key: str) -> dict[int, SubsetEstimate]:
    return {k: SubsetEstimate.from_json(at_k) for k, at_k in fields.by_count(key).items()}
