"""The evaluator ``nll``: how surprised the model is by the targets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from proctor.errors import DatasetError
from proctor.evaluators.logprob_run import LogprobEvaluator, LogprobTally
from proctor.evaluators.scored_text import ScoredText
from proctor.scoring.estimates import Estimate
from proctor.scoring.grades import GradedPair
from proctor.scoring.intervals import estimate_ratio
from proctor.scoring.metric_names import withheld_reason
from proctor.scoring.results import EvaluationResult, GraderResult
from proctor.types import Example, Grade, Outcome

NATS = "nll"
BITS = "bits_per_byte"


class NLL(LogprobEvaluator):
    """Mean negative log-likelihood of the targets, in nats per token, and in bits per byte."""

    version: ClassVar[int] = 2

    label: ClassVar[str] = "nll"

    def texts(self, example: Example) -> Sequence[str]:
        """The target; the first, where there are several.

        Raises:
            DatasetError: The row has no target.
        """
        if not example.targets or not example.targets[0].strip():
            raise DatasetError(
                f"row {example.id!r} has no target", fix="give it one, whose likelihood is asked"
            )
        return example.targets[:1]

    def tally(self) -> NLLTally:
        """Sums of nats, tokens and bytes."""
        return NLLTally(self.by)


Sums = tuple[float, int, float, int]
"""Nats and tokens of the answer as rendered, nats and bytes of its text."""
Row = tuple[Sums | Outcome, str, Sequence[str | None]]
"""An example's sums, or what became of it instead; its cluster; its groups."""


class NLLTally(LogprobTally):
    """Takes the targets of an evaluation.

    Args:
        by: The fields for whose values there are estimates too.
    """

    def __init__(self, by: Sequence[str]) -> None:
        self._by = by
        self._rows: list[Row] = []

    def add(
        self,
        example: Example,
        scored: Sequence[ScoredText] | None,
        reason: str | None,
        cluster: str | None,
        groups: Sequence[str | None],
    ) -> dict[str, GradedPair]:
        """Takes an example's target."""
        place = f"cluster:{cluster}" if cluster is not None else f"row:{len(self._rows)}"
        text = scored[0] if scored else None
        if text is None or not math.isfinite(text.nll):
            missing = GradedPair(Outcome.FAILED, reason=reason)
            if text is not None:
                # a mean without it would be no mean of all
                missing = GradedPair(Outcome.UNGRADED, reason="the model rules the target out")
            self._rows.append((missing.outcome, place, groups))
            return {NATS: missing, BITS: missing}
        sums = (text.nll, len(text.tokens), text.text_nll, text.text_bytes)
        self._rows.append((sums, place, groups))
        bits = text.text_nll / (math.log(2) * text.text_bytes)
        return {
            NATS: GradedPair(Outcome.GRADED, Grade(text.nll / len(text.tokens))),
            BITS: GradedPair(Outcome.GRADED, Grade(bits)),
        }

    def result(
        self, name: str, min_coverage: float, details: Mapping[str, object]
    ) -> EvaluationResult:
        """Nats per token, then bits per byte."""
        values = [
            sorted({row[2][index] for row in self._rows}, key=str) for index in range(len(self._by))
        ]
        graders = []
        for grader in (NATS, BITS):
            estimate = _estimate(grader, self._rows)
            groups = {
                by: {
                    value: _estimate(grader, [r for r in self._rows if r[2][index] == value])
                    for value in values[index]
                }
                for index, by in enumerate(self._by)
            }
            withheld = withheld_reason(estimate, min_coverage)
            graders.append(GraderResult(grader, estimate, withheld, groups))
        return EvaluationResult.from_graders(
            name, graders, min_coverage=min_coverage, details=details
        )


def _estimate(grader: str, rows: Sequence[Row]) -> Estimate:
    """The ratio of sums over the rows that were scored."""
    known = [(sums, place) for sums, place, _ in rows if not isinstance(sums, Outcome)]
    if grader == NATS:
        above, below = [s[0] for s, _ in known], [s[1] for s, _ in known]
    else:
        above, below = [s[2] / math.log(2) for s, _ in known], [s[3] for s, _ in known]
    codes = {place: code for code, place in enumerate(dict.fromkeys(p for _, p in known))}
    mean = estimate_ratio(
        np.array(above, dtype=np.float64),
        np.array(below, dtype=np.float64),
        np.array([codes[place] for _, place in known], dtype=np.int64),
    )
    counts = Counter(row[0] if isinstance(row[0], Outcome) else Outcome.GRADED for row in rows)
    return Estimate(
        score=mean.mean,
        stderr=mean.stderr,
        ci_low=mean.ci_low,
        ci_high=mean.ci_high,
        method=mean.method,
        n=len(known),
        clusters=mean.clusters,
        samples=len(known),
        pairs=len(rows),
        examples=len(rows),
        coverage=len(known) / len(rows) if rows else 0.0,
        bounds=(mean.mean, mean.mean) if known and len(known) == len(rows) else None,
        counts={outcome: counts[outcome] for outcome in Outcome},
        unrecorded=0,
        score_complete=None,
        worst=None,
        best=0.0,
        proportion=False,
        interval_doubt=mean.untrusted,
    )
