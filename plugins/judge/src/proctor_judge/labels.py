"""Human labels of answers, and the verdicts of a judge on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proctor import (
    ConfigError,
    DatasetError,
    Example,
    GradedEvaluator,
    GradedPair,
    Message,
    Outcome,
    Sample,
    Termination,
    grade_pairs,
    load_config,
)
from proctor_judge.calibration import Calibration
from proctor_judge.llm_judge import LLMJudge

KEYS = ("input", "answer", "target", "label", "verdict", "id")
"""The keys of a line."""


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """An answer that a person looked at.

    Attributes:
        example: What was asked.
        answer: What was answered.
        label: Whether a person calls it right.
        verdict: Whether a judge called it right; None where no judge did, readably.
    """

    example: Example
    answer: str
    label: bool
    verdict: bool | None = None

    @property
    def sample(self) -> Sample:
        """The answer as a grader gets it."""
        answer = Message(role="assistant", content=self.answer)
        messages = [*self.example.messages, answer]
        ended = Termination.STOP_SEQUENCE
        return Sample(self.example.id, 0, "complete", messages, [], termination=ended)


def read_labels(file: Path, *, needs_verdict: bool) -> list[LabelledAnswer]:
    """Reads a file of labels, one JSON object a line.

    Args:
        file: The file.
        needs_verdict: Whether each line has a judge's verdict, in place of an answer to judge.

    Raises:
        DatasetError: It can't be read, or a line lacks something; the message names the line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"can't read {file}: {error}") from None
    rows = [
        _read_line(line, f"{file}:{number}", number, needs_verdict)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    ]
    if not rows:
        raise DatasetError("there are no labels", where=str(file))
    return rows


def _read_line(line: str, where: str, number: int, needs_verdict: bool) -> LabelledAnswer:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DatasetError(f"no JSON: {error}", where=where) from None
    if not isinstance(row, dict):
        raise DatasetError("a line is a JSON object", where=where)
    unknown = sorted(set(row) - set(KEYS))
    if unknown:
        keys = ", ".join(KEYS)
        raise DatasetError(f"unknown key {unknown[0]!r}", where=where, fix=f"the keys are {keys}")
    needed = ("label", "verdict") if needs_verdict else ("input", "answer", "label")
    for key in needed:
        if key not in row:
            raise DatasetError(
                f"it has no {key!r}",
                where=where,
                fix="give --config, whose judge makes the verdicts" if key == "verdict" else None,
            )
    if not isinstance(row["label"], bool):
        raise DatasetError(f"'label' is true or false, not {row['label']!r}", where=where)
    verdict = row.get("verdict")
    if not isinstance(verdict, (bool, type(None))):
        raise DatasetError(
            f"'verdict' is true, false, or null where the judge gave none, not {verdict!r}",
            where=where,
        )
    answer = row.get("answer", "")
    if not isinstance(answer, str):
        raise DatasetError(f"'answer' is text, not {answer!r:.100}", where=where)
    example = Example(str(row.get("id", number)), row.get("input", ""), target=row.get("target"))
    return LabelledAnswer(example, answer, row["label"], verdict)


def tabulate(
    rows: Sequence[LabelledAnswer], verdicts: Sequence[bool | None], judge: str | None = None
) -> Calibration:
    """Counts how verdicts and labels go together.

    Args:
        rows: The labels.
        verdicts: The verdict on each; None where there is no usable one.
        judge: The fingerprint of the judge that gave them.
    """
    pairs = [(row.label, verdict) for row, verdict in zip(rows, verdicts, strict=True)]
    return Calibration(
        true_positives=pairs.count((True, True)),
        false_negatives=pairs.count((True, False)),
        true_negatives=pairs.count((False, False)),
        false_positives=pairs.count((False, True)),
        unreadable=sum(verdict is None for _, verdict in pairs),
        judge=judge,
    )


def judged_by(config: Path, evaluator: str | None, rows: Sequence[LabelledAnswer]) -> Calibration:
    """Has a config's judge grade every answer, and counts its verdicts.

    Raises:
        ProctorError: The config has no such judge, its judge gives no yes or no, an answer lacks
            the target that it needs, or it can't be reached.
    """
    judge = _find_judge(config, evaluator)
    for row in rows:
        judge.check_example(row.example)

    async def grade() -> list[GradedPair]:
        await judge.open()
        try:
            return await grade_pairs(judge, [(row.example, row.sample) for row in rows])
        finally:
            await judge.close()

    verdicts = [_verdict(judge, graded) for graded in asyncio.run(grade())]
    return tabulate(rows, verdicts, judge.judge_fingerprint())


def _verdict(judge: LLMJudge, graded: GradedPair) -> bool | None:
    if graded.outcome is not Outcome.GRADED or graded.grade is None:
        return None
    return graded.grade.value == judge.scale()[1]


def _find_judge(config: Path, evaluator: str | None) -> LLMJudge:
    judges: list[tuple[str, Any]] = [
        (entry.name, grader)
        for entry in load_config(config).evaluators
        if isinstance(entry.evaluator, GradedEvaluator)
        for grader in entry.evaluator.graders
        if isinstance(grader, LLMJudge) and evaluator in (None, entry.name)
    ]
    if not judges:
        named = f" in the evaluator {evaluator!r}" if evaluator else ""
        raise ConfigError(f"there is no llm_judge{named}", where=str(config))
    if len(judges) > 1:
        names = ", ".join(dict.fromkeys(name for name, _ in judges))
        raise ConfigError(
            f"there are {len(judges)} judges, in {names}",
            where=str(config),
            fix="choose one with --evaluator",
        )
    judge: LLMJudge = judges[0][1]
    if judge.judge == "self":
        raise ConfigError(
            "the judge is the model under evaluation, and there is none here",
            where=str(config),
            fix="name the judge's model in a config for its calibration",
        )
    if not judge.is_proportion:
        raise ConfigError(
            "only a judge that says right or wrong can be calibrated",
            where=str(config),
            fix="use the rubric that compares with the target",
        )
    return judge
