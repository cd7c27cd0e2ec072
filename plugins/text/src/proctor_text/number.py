"""The number grader."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pydantic import Field

from proctor import DatasetError, Example, Grade, Grader, Sample
from proctor_text.normalization import quoted, quoted_any
from proctor_text.numerals import Numeral, final_numeral, first_numeral, target_numeral


class Number(Grader):
    """Correct when the answer's last number, or that of its last box, equals the target.

    Reads thousands separators, currency, percentages, fractions, powers of ten and LaTeX, and
    compares exactly unless a tolerance is given. Words such as "four" are no numbers to it, and
    "not 4" ends on 4.
    """

    version: ClassVar[int] = 2
    proportion: ClassVar[bool | None] = True

    rel_tol: float = Field(default=0.0, ge=0, lt=1, allow_inf_nan=False)
    """Equal within this share of the target: 0.01 for one percent."""
    abs_tol: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Equal within this distance of the target."""
    decimal_comma: bool = False
    """Read "1.234,5" as German and French text write it, in answers and targets."""
    after: str | None = Field(default=None, min_length=1)
    """Read the first number after the last occurrence of this text, such as "Answer:"; an answer
    without it has none."""

    def check_example(self, example: Example) -> None:
        """Refuses a row of whose targets none is a number for sure."""
        self._wanted(example)

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Compares the number that the answer ends on with each target.

        Raises:
            DatasetError: No target is a number.
        """
        wanted = self._wanted(example)
        read, source = self._read(sample.text)
        names = quoted_any(list(wanted))
        if read is None:
            return Grade(0.0, f"no number in {quoted(source)}, want {names}")
        if self._is_right(read, wanted):
            return Grade(1.0, f"read {quoted(read.text)}")
        return Grade(0.0, f"read {quoted(read.text)}, want {names}")

    def extract_answer(self, example: Example, sample: Sample) -> str | None:
        """The number that the answer ends on, as a reduced fraction.

        A number that counts as right is given as the first target that is one, so that answers
        which the grader takes as equal agree.
        """
        read, _ = self._read(sample.text)
        if read is None:
            return None
        wanted = self._wanted(example) if example.targets else {}
        if self._is_right(read, wanted):
            return str(next(iter(wanted.values())).scaled)
        return str(read.scaled)

    def _wanted(self, example: Example) -> dict[str, Numeral]:
        """The targets that are numbers, by their text; an alias that is none is left out.

        Raises:
            DatasetError: None is.
        """
        read = {target: target_numeral(target, self.decimal_comma) for target in example.targets}
        wanted = {target: numeral for target, numeral in read.items() if numeral is not None}
        if not wanted:
            raise DatasetError(
                f"row {example.id!r}: the target {quoted_any(example.targets)} is no number that "
                "can be read for sure",
                fix="give the number alone; a dataset's 'target_pattern' can cut it out",
            )
        return wanted

    def _is_right(self, read: Numeral, wanted: dict[str, Numeral]) -> bool:
        return any(self._equal(read, gold) for gold in wanted.values())

    def _read(self, text: str) -> tuple[Numeral | None, str]:
        if self.after is not None:
            _, marker, text = text.rpartition(self.after)
            if not marker:
                return None, f"(no {self.after!r} in the answer)"
            # behind the marker a value begins, so that "- 5" is no item of a list
            return first_numeral(":" + text, self.decimal_comma), text
        return final_numeral(text, self.decimal_comma)

    def _equal(self, read: Numeral, gold: Numeral) -> bool:
        near, share = Fraction(str(self.abs_tol)), Fraction(str(self.rel_tol))
        return any(
            abs(answer - target) <= max(near, share * abs(target))
            for answer, target in read.readings(gold)
        )
