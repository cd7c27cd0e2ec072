"""The substring grader."""

from __future__ import annotations

from typing import ClassVar

import regex

from proctor import DatasetError, Example, Grade, Grader, Sample
from proctor_text.normalization import collapse_space, fold_case, quoted_any, unify_unicode


class Substring(Grader):
    """Correct when the answer contains the target, or any of several.

    It can't tell a statement from its denial: "not Paris" contains "Paris".
    """

    proportion: ClassVar[bool | None] = True

    ignore_case: bool = True
    """Compare without regard to case."""
    whole_words: bool = False
    """The target may not be a part of a longer word or number: "no" is not in "know"."""
    normalize_unicode: bool = True
    """Treat different spellings of a character as one, and curly quotes and dashes as plain."""

    def check_example(self, example: Example) -> None:
        """Refuses a target that every answer would contain."""
        for target in example.targets:
            if not self._normalize(target):
                raise DatasetError(
                    f"row {example.id!r} has an empty target, which every answer contains",
                    fix="remove it",
                )

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Looks for each target in the answer."""
        answer = self._normalize(sample.text)
        for target in example.targets:
            wanted = self._normalize(target)
            if wanted and self._contains(answer, wanted):
                return Grade(1.0, f"found {quoted_any([target])}")
        return Grade(0.0, f"did not find {quoted_any(example.targets)}")

    def _normalize(self, text: str) -> str:
        if self.normalize_unicode:
            text = unify_unicode(text)
        if self.ignore_case:
            text = fold_case(text)
        return collapse_space(text)

    def _contains(self, answer: str, wanted: str) -> bool:
        if not self.whole_words:
            return wanted in answer
        # "4" is a part of "4.5" and of "1,4", but not of "4." at the end of a sentence
        before = r"(?<!\w)(?<!\d[.,])" if wanted[0].isalnum() else ""
        after = r"(?!\w)(?![.,]\d)" if wanted[-1].isalnum() else ""
        return regex.search(f"{before}{regex.escape(wanted)}{after}", answer) is not None
