"""Inspect's logs read into Proctor's ledger: what became of every (sample, scorer) pair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.scorer import Score

from proctor import (
    EvaluationResult,
    Example,
    Grade,
    GradedPair,
    Ledger,
    LedgerColumn,
    Message,
    Outcome,
    ProctorError,
    Sample,
)
from proctor_inspect.messages import from_inspect
from proctor_inspect.model_api.calls import calls_of
from proctor_inspect.stop_reasons import CUT_OFF

VERDICTS = {
    "C": 1.0,
    "I": 0.0,
    "P": 0.5,
    "N": 0.0,
    "YES": 1.0,
    "TRUE": 1.0,
    "NO": 0.0,
    "FALSE": 0.0,
}
"""The texts that Inspect's scorers use as values."""


@dataclass(frozen=True, slots=True)
class ScoredValue:
    """A scorer's value of one sample.

    Attributes:
        number: The value; None where there is none.
        is_verdict: Whether it is yes or no, by its type.
        reason: Why there is no number.
        score: Inspect's score, which it comes from.
    """

    number: float | None
    is_verdict: bool
    reason: str | None
    score: Score


def scored_values(sample: EvalSample) -> dict[str, ScoredValue]:
    """A sample's scores by column: ``{scorer}``, or ``{scorer}.{key}`` where it gave a mapping."""
    columns: dict[str, ScoredValue] = {}
    for scorer, score in (sample.scores or {}).items():
        if isinstance(score.value, Mapping):
            for key, value in score.value.items():
                columns[f"{scorer}.{key}"] = scored(value, score)
        else:
            columns[scorer] = scored(score.value, score)
    return columns


def scored(value: Any, score: Score) -> ScoredValue:
    """One value of Inspect's as a number: nothing that is none becomes 0."""
    if isinstance(value, bool):
        return ScoredValue(float(value), True, None, score)
    if isinstance(value, str):
        verdict = VERDICTS.get(value.upper())
        if verdict is not None:
            return ScoredValue(verdict, verdict != 0.5, None, score)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ScoredValue(None, False, f"the value {value!r:.100} is no number", score)
    if math.isfinite(number):
        return ScoredValue(number, False, None, score)
    reason = score.reason or score.explanation or "the scorer gave no value"
    return ScoredValue(None, False, " ".join(str(reason).split()), score)


def outcome_of(sample: EvalSample) -> tuple[str, str | None]:
    """A sample's status, and why it is not complete."""
    if sample.error is not None:
        return "failed", " ".join(sample.error.message.split())
    if sample.limit is not None:
        return "truncated", f"it reached its {sample.limit.type} limit of {sample.limit.limit:g}"
    reason = sample.output.choices[0].stop_reason if sample.output.choices else None
    if reason in CUT_OFF:
        return "truncated", f"the answer was cut off: {reason}"
    if reason == "unknown":
        return "malformed", sample.output.error or "the answer could not be read"
    return "complete", None


def read_sample(sample: EvalSample) -> tuple[Example, Sample]:
    """A sample of a log as Proctor's example and sample."""
    status, error = outcome_of(sample)
    messages: list[Message] = [from_inspect(message) for message in sample.messages]
    if status != "failed" and (not messages or messages[-1]["role"] != "assistant"):
        messages.append(Message(role="assistant", content=sample.output.completion))
    target = sample.target if isinstance(sample.target, str) else list(sample.target)
    asked = sample.input if isinstance(sample.input, str) else [*map(from_inspect, sample.input)]
    example = Example(
        id=str(sample.id), input=asked, target=target or None, metadata=dict(sample.metadata)
    )
    return example, Sample(
        example_id=example.id,
        index=sample.epoch - 1,
        status=status,  # type: ignore[arg-type]
        messages=messages,
        calls=calls_of(sample),
        error=error,
    )


def read_grades(sample: EvalSample, columns: Iterable[str]) -> Iterator[tuple[str, GradedPair]]:
    """What became of a sample under each scorer; a score that is not there is missing."""
    status, reason = outcome_of(sample)
    values = scored_values(sample)
    for column in columns:
        if status != "complete":
            yield column, GradedPair(Outcome(status), reason=reason)
            continue
        value = values.get(column)
        if value is None:
            yield column, GradedPair(Outcome.UNGRADED, reason="the scorer gave no score")
        elif value.number is None:
            yield column, GradedPair(Outcome.UNGRADED, reason=value.reason)
        else:
            grade = Grade(value.number, value.score.explanation, value.score.metadata or {})
            yield column, GradedPair(Outcome.GRADED, grade, answer=value.score.answer)


def columns_of(samples: Sequence[EvalSample], scorers: Iterable[str]) -> list[LedgerColumn]:
    """A column for each scorer, or for each key of a scorer's mappings.

    Inspect's scorers don't declare their scale. One whose values all lie between 0 and 1 is taken
    to have that scale; any other has an open one, on which a truncated answer has no value and is
    missing. A scorer that only says right or wrong, by the type of its values, is a proportion.

    Args:
        samples: All samples of a task.
        scorers: The names of its scorers, for those that scored nothing.
    """
    values: dict[str, list[ScoredValue]] = {}
    for sample in samples:
        for column, value in scored_values(sample).items():
            values.setdefault(column, []).append(value)
    for scorer in scorers:
        if not any(column.split(".")[0] == scorer for column in values):
            values[scorer] = []
    columns = []
    for column, scored in values.items():
        numbers = [value.number for value in scored if value.number is not None]
        is_unit = all(0.0 <= number <= 1.0 for number in numbers)
        is_verdict = bool(numbers) and all(v.is_verdict for v in scored if v.number is not None)
        columns.append(LedgerColumn(column, 0.0 if is_unit else None, 1.0, is_verdict))
    return columns


def read_log(log: EvalLog, label: str, ids: Sequence[str], min_coverage: float) -> EvaluationResult:
    """The result of one task: our estimates, and every metric that Inspect computed.

    Args:
        log: The log of a finished evaluation, with its samples.
        label: The task's name in metric names.
        ids: The rows that were to be evaluated, in order.
        min_coverage: The coverage that a headline needs.

    Raises:
        ProctorError: The evaluation ended with an error, or every sample of it failed.
    """
    samples = list(log.samples or [])
    if log.status != "success":
        why = log.error.message if log.error else "it was cancelled"
        raise ProctorError(f"Inspect ended with status {log.status}: {why}", where=label)
    errors = [sample.error.message for sample in samples if sample.error is not None]
    if len(errors) == len(samples):
        why = f": {errors[0]}" if errors else ""
        raise ProctorError(f"all {len(samples)} samples failed{why}", where=label)
    scores = log.results.scores if log.results else []
    columns = columns_of(samples, [score.scorer for score in scores])
    ledger = Ledger(columns, num_samples=log.eval.config.epochs or 1)
    names = [column.grader for column in columns]
    by_id: dict[str, list[EvalSample]] = {}
    for sample in samples:
        by_id.setdefault(str(sample.id), []).append(sample)
    for known in ids:
        mine = by_id.get(known, [])
        cluster = mine[0].metadata.get("cluster") if mine else None
        row = ledger.add_example(None if cluster is None else str(cluster))
        for sample in mine:
            for column, graded in read_grades(sample, names):
                value = graded.grade.value if graded.grade else None
                ledger.record(
                    row, sample.epoch - 1, column, graded.outcome, value, answer=graded.answer
                )
    result = EvaluationResult.from_ledger(label, ledger, min_coverage=min_coverage)
    return _with_inspects_own(result, inspect_metrics(log, _names(result)))


def _names(result: EvaluationResult) -> set[str]:
    """The metrics' names without the task's."""
    return {key.split("/", 1)[1] for key in result.metrics}


def _with_inspects_own(result: EvaluationResult, own: Mapping[str, float]) -> EvaluationResult:
    """The result with what Inspect computed beside it; nothing of it where a score is withheld."""
    if not result.is_complete:
        return result
    graders = []
    for grader in result.graders:
        prefix = f"{grader.grader.split('.')[0]}/"
        shown = [
            f"{k.removeprefix(prefix)} {v:.3g}" for k, v in own.items() if k.startswith(prefix)
        ]
        notes = (f"Inspect: {', '.join(shown)}",) if shown else ()
        graders.append(replace(grader, notes=notes))
    metrics = {**result.metrics, **{f"{result.name}/{key}": value for key, value in own.items()}}
    return replace(result, metrics=metrics, graders=tuple(graders))


def inspect_metrics(log: EvalLog, taken: Iterable[str]) -> dict[str, float]:
    """Every metric of every scorer and reducer, as ``{scorer}/{metric}``.

    Where a task has several reducers, ``{scorer}/{reducer}/{metric}``. A metric whose name one of
    ours has already, as ``stderr``, is called ``inspect_{metric}``.

    Args:
        log: The log.
        taken: Our own names.
    """
    ours = set(taken)
    scores = log.results.scores if log.results else []
    reducers = {score.reducer for score in scores}
    metrics: dict[str, float] = {}
    for score in scores:
        scorer = score.name if score.name == score.scorer else _column(score.scorer, score.name)
        prefix = f"{scorer}/{score.reducer}" if len(reducers) > 1 and score.reducer else scorer
        for unique_name, metric in score.metrics.items():
            name = unique_name.replace("/", ".")
            key = f"{prefix}/{name}"
            if key in ours:
                key = f"{prefix}/inspect_{name}"
            if isinstance(metric.value, (int, float)) and math.isfinite(metric.value):
                metrics[key] = float(metric.value)
    return metrics


def _column(scorer: str, name: str) -> str:
    """A numbered twin of a scorer (``match1``) is a column of its own; a key stands under it."""
    rest = name.removeprefix(scorer)
    return name if name.startswith(scorer) and rest.isdigit() else f"{scorer}.{name}"
