"""The evaluator ``choice_logprob``: multiple choice by the likelihood of each option."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from proctor.errors import DatasetError
from proctor.evaluators.logprob_run import LogprobEvaluator, LogprobTally
from proctor.evaluators.scored_text import ScoredText
from proctor.scoring.grades import GradedPair
from proctor.scoring.ledger import Ledger, LedgerColumn
from proctor.scoring.results import EvaluationResult
from proctor.types import Example, Grade, Outcome

PLAIN = "accuracy"
NORMALIZED = "accuracy_normalized"
PER_BYTE = "accuracy_per_byte"
COLUMNS = (PLAIN, NORMALIZED, PER_BYTE)


class ChoiceLogprob(LogprobEvaluator):
    """Multiple choice by the log-likelihood of each option, plain and by its length.

    The options are not shown: each is scored as an answer to the question, without the end of the
    turn. An option as likely as the right one makes the answer wrong, unless it is the same.
    """

    version: ClassVar[int] = 3

    label: ClassVar[str] = "choice_logprob"

    def texts(self, example: Example) -> Sequence[str]:
        """The options.

        Raises:
            DatasetError: The row has no options, or no index of the right one.
        """
        choices, target = example.choices, example.target
        if choices is None or len(choices) < 2:
            raise DatasetError(
                f"row {example.id!r} has no choices", fix="give it at least two, and their index"
            )
        if type(target) is not int or not 0 <= target < len(choices):
            raise DatasetError(
                f"row {example.id!r} has {len(choices)} choices and the target {target!r}",
                fix="the target of a multiple choice question is the index of the right one",
            )
        if any(not choice.strip() for choice in choices):
            raise DatasetError(f"row {example.id!r} has an empty choice", fix="give it a text")
        return choices

    def tally(self) -> ChoiceTally:
        """Which option is the likeliest."""
        return ChoiceTally(self.by)


class ChoiceTally(LogprobTally):
    """Takes the options of an evaluation.

    Args:
        by: The fields for whose values there are estimates too.
    """

    def __init__(self, by: Sequence[str]) -> None:
        columns = [LedgerColumn(name, 0.0, 1.0, True) for name in COLUMNS]
        self._ledger = Ledger(columns, by=tuple(by))

    def add(
        self,
        example: Example,
        scored: Sequence[ScoredText] | None,
        reason: str | None,
        cluster: str | None,
        groups: Sequence[str | None],
    ) -> dict[str, GradedPair]:
        """Takes an example's options."""
        row = self._ledger.add_example(cluster, groups)
        if scored is None:
            failed = GradedPair(Outcome.FAILED, reason=reason)
            grades = dict.fromkeys(COLUMNS, failed)
        else:
            right = example.right_choices
            by_sum = [-text.text_nll for text in scored]
            by_length = [-text.text_nll / text.text_characters for text in scored]
            by_bytes = [-text.text_nll / text.text_bytes for text in scored]
            grades = {
                name: GradedPair(
                    Outcome.GRADED,
                    Grade(
                        float(_is_likeliest(right, likelihoods)),
                        metadata={"likelihoods": likelihoods},
                    ),
                )
                for name, likelihoods in zip(COLUMNS, (by_sum, by_length, by_bytes), strict=True)
            }
        for name, graded in grades.items():
            self._ledger.record(row, 0, name, graded.outcome, graded.value)
        return grades

    def result(
        self, name: str, min_coverage: float, details: Mapping[str, object]
    ) -> EvaluationResult:
        """Plain accuracy, then by length."""
        return EvaluationResult.from_ledger(
            name, self._ledger, min_coverage=min_coverage, details=details
        )


def _is_likeliest(right: Sequence[int], likelihoods: Sequence[float]) -> bool:
    """Whether one of the right options, which are equal, is likelier than every other one."""
    others = [value for index, value in enumerate(likelihoods) if index not in right]
    return max(likelihoods[index] for index in right) > max(others, default=-math.inf)
