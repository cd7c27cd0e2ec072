"""The choice grader."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from proctor import DatasetError, Example, Grade, Grader, Sample, choice_letter
from proctor_text.normalization import quoted, quoted_any
from proctor_text.statements import stated_choice


class Choice(Grader):
    """Correct when the option that the answer states last is the right one.

    It reads a letter ("The answer is (B)", "B) Paris", a box) or the whole text of one option. An
    answer that states none, or leaves several open, is wrong.
    """

    version: ClassVar[int] = 2
    proportion: ClassVar[bool | None] = True

    letters: int = Field(default=10, ge=2, le=26)
    """How many letters there are, for rows whose options stand in the question itself and whose
    target is a letter; rows with choices say it themselves."""

    def check_example(self, example: Example) -> None:
        """Refuses a row without choices of whose targets none is a letter."""
        self._wanted(example)

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Compares the stated option with the right one."""
        wanted = self._wanted(example)
        read = self._read(example, sample)
        names = " or ".join(repr(letter) for letter in wanted)
        if read is None:
            return Grade(0.0, f"no option stated in {quoted(sample.text)}, want {names}")
        return Grade(float(read in wanted), f"read {read!r}, want {names}")

    def extract_answer(self, example: Example, sample: Sample) -> str | None:
        """The text of the stated option, or its letter where the options are not known.

        Options of one text are one answer, and so are the letters of which any is right.
        """
        read = self._read(example, sample)
        if read is None:
            return None
        if example.choices is None:
            wanted = self._wanted(example) if example.targets else []
            return wanted[0] if read in wanted else read
        return example.choices[ord(read) - ord("A")].strip()

    def _read(self, example: Example, sample: Sample) -> str | None:
        options = example.choices or ()
        index = stated_choice(sample.text, len(options) or self.letters, options)
        return None if index is None else choice_letter(index)

    def _wanted(self, example: Example) -> list[str]:
        """The letters of which any is right: those of equal options, or those of the targets.

        Raises:
            DatasetError: There is none.
        """
        if example.choices is not None and isinstance(example.target, int):
            right = example.choices[example.target].strip()
            same = [index for index, text in enumerate(example.choices) if text.strip() == right]
            return [choice_letter(index) for index in same]
        if example.choices is not None:
            raise DatasetError(
                f"row {example.id!r} has choices and the target {example.target!r}",
                fix="the target of a multiple choice question is the index of the right one",
            )
        known = [choice_letter(index) for index in range(self.letters)]
        letters = [target.strip().strip("().").upper() for target in example.targets]
        usable = [letter for letter in letters if letter in known]
        if not usable:
            raise DatasetError(
                f"row {example.id!r}: the target {quoted_any(example.targets)} is no letter from A "
                f"to {known[-1]}",
                fix="map the options with the dataset's 'choices', or raise 'letters'",
            )
        return usable
