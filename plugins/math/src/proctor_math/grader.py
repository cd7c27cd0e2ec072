"""The math grader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, PrivateAttr

from proctor import DatasetError, Example, Grade, Grader, Sample, UngradedError
from proctor_math.targets import unreadable
from proctor_math.verdict import Verdict, judge


class Math(Grader):
    """Correct when the answer equals the target as mathematics, by math-verify.

    It reads expressions, sets, intervals, equations and matrices in LaTeX or plain text, with
    units. What can't be decided is ungraded, never wrong.
    """

    proportion: ClassVar[bool | None] = True
    runs_in: ClassVar[Literal["thread", "process"]] = "process"
    process_modules: ClassVar[Sequence[str]] = ("proctor_math.warm",)
    grading_timeout: ClassVar[float] = 10.0
    memory_limit: ClassVar[int | None] = 4 << 30

    most_characters: int = Field(default=20_000, ge=100)
    """How much of an answer's end is searched for its statement."""

    _last: tuple[tuple[str, ...], str, Verdict] | None = PrivateAttr(default=None)

    def check_example(self, example: Example) -> None:
        """Refuses a target that can't be read whole; by its spelling, as reading it may hang."""
        targets = example.targets
        for target in targets or [""]:
            why = unreadable(target)
            if why is not None:
                raise DatasetError(
                    f"row {example.id!r}: the target {target!r:.60} can't be read whole: {why}",
                    fix="write it as one formula, in LaTeX, or grade it with another grader",
                )

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Compares what the answer states with each target."""
        verdict = self._verdict(example, sample)
        wanted = " or ".join(f"{target!r:.60}" for target in example.targets[:3])
        if verdict.read is None:
            return Grade(0.0, f"no answer found, want {wanted}")
        why = f" ({verdict.why})" if verdict.why else ""
        return Grade(float(verdict.is_right), f"read {verdict.read!r:.80}{why}, want {wanted}")

    def extract_answer(self, example: Example, sample: Sample) -> str | None:
        """One spelling of what the answer states; for all right answers, that of the target."""
        return self._verdict(example, sample).key

    def _verdict(self, example: Example, sample: Sample) -> Verdict:
        """The verdict for the target that fits best.

        Raises:
            UngradedError: None fits, and one can't be decided.
        """
        targets, answer = tuple(example.targets), sample.text[-self.most_characters :]
        if self._last is not None and self._last[:2] == (targets, answer):
            return self._last[2]
        verdict: Verdict | None = None
        undecided: UngradedError | None = None
        for number, target in enumerate(targets):
            try:
                one = judge(target, answer)
            except UngradedError as error:
                undecided = undecided or error
                continue
            verdict = verdict or one
            if one.is_right:
                # the targets are names of one answer, so their answers share the first one's key
                first = verdict.key if number == 0 else judge(targets[0], targets[0]).key
                verdict = Verdict(True, one.read, one.why, first)
                break
        if verdict is None or (undecided is not None and not verdict.is_right):
            raise undecided or UngradedError("there is no target")
        self._last = (targets, answer, verdict)
        return verdict
