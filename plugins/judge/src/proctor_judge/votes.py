"""Votes of a judge, put together: the majority of words, the mean of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proctor_judge.rubric import Rubric

PAIRWISE = {"A": 1.0, "TIE": 0.5, "B": 0.0}
"""What a verdict on a pair is worth to the answer that stands first."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One reading of an answer by the judge.

    Attributes:
        verdicts: The verdict of each line; None where there is none that can be read.
        reply: The judge's text.
        calls: Each request that it took, as it is kept.
        problem: Why there is no verdict.
    """

    verdicts: Mapping[str, str] | None
    reply: str
    calls: Sequence[Mapping[str, Any]]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes come to.

    Attributes:
        value: The grade; None where there is none.
        explanation: What the judge said with it.
        problem: Why there is no grade.
        metadata: The votes' values, how far they agree, and the value of each criterion.
    """

    value: float | None
    explanation: str | None = None
    problem: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def combine(rubric: Rubric, votes: Sequence[Vote], orders: int = 1) -> Verdict:
    """Puts votes together; those that can't be read are left out, and never count as a verdict.

    Args:
        rubric: The rubric that they are by.
        votes: The votes; for pairs, each vote's two orders one after the other.
        orders: How many requests one vote is of.
    """
    values: list[float] = []
    replies: list[str] = []
    conflicts = 0
    readable: list[Vote] = []
    for start in range(0, len(votes), orders):
        parts = votes[start : start + orders]
        verdicts = [part.verdicts for part in parts if part.verdicts is not None]
        if len(verdicts) < len(parts):
            continue
        readable.append(parts[0])
        replies.append(parts[0].reply)
        if rubric.kind == "pairwise":
            first, second = verdicts[0]["VERDICT"], verdicts[1]["VERDICT"]
            conflicts += first == second != "TIE"
            values.append((PAIRWISE[first] + 1.0 - PAIRWISE[second]) / 2)
        else:
            values.append(_value(rubric, verdicts[0]))
    if not values:
        problem = next(vote.problem for vote in votes if vote.problem is not None)
        return Verdict(None, problem=problem)
    counts = Counter(values)
    frequent, times = counts.most_common(1)[0]
    metadata: dict[str, Any] = {}
    if len(votes) > orders:
        metadata |= {"votes": values, "agreement": times / len(values)}
    if conflicts:
        metadata["conflicts"] = conflicts
    if rubric.kind == "criteria":
        metadata["criteria"] = _criteria(rubric, readable)
    if not rubric.is_yes_or_no:
        value = sum(values) / len(values)
        return Verdict(value, replies[0], metadata=metadata)
    if list(counts.values()).count(times) > 1:
        problem = f"the judge's {len(values)} readable votes tie"
        return Verdict(None, problem=problem, metadata=metadata)
    return Verdict(frequent, replies[values.index(frequent)], metadata=metadata)


def _value(rubric: Rubric, verdicts: Mapping[str, str]) -> float:
    if rubric.kind == "correctness":
        return float(verdicts["VERDICT"] == "CORRECT")
    if rubric.kind == "scale":
        return float(verdicts["VERDICT"])
    weights = {name: criterion.weight for name, criterion in rubric.criteria.items()}
    total = sum(weight * float(verdicts[name]) for name, weight in weights.items())
    return total / sum(weights.values())


def _criteria(rubric: Rubric, readable: Sequence[Vote]) -> dict[str, float]:
    """The mean of each criterion over the votes."""
    return {
        name: sum(float(vote.verdicts[name]) for vote in readable if vote.verdicts) / len(readable)
        for name in rubric.criteria
    }
