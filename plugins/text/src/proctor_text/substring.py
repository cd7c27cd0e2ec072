"""The substring grader."""

from __future__ import annotations

from typing import ClassVar

import regex

from proctor import DatasetError, Example, Grade, Grader, Sample
from proctor_text.normalization import (
    collapse_space,
    drop_emphasis,
    fold_case,
    quoted_any,
    unify_unicode,
)

_PRICE = r"\p{Sc}"


class Substring(Grader):
    """Correct when the answer contains the target, or any of several.

    It can't tell a statement from its denial: "not Paris" contains "Paris".
    """

    version: ClassVar[int] = 2
    proportion: ClassVar[bool | None] = True

    ignore_case: bool = True
    """Compare without regard to case."""
    whole_words: bool = False
    """The target may not be a part of a longer word or number: "no" is not in "know" or "no-one",
    "5" is not in "-5", "3/5" or "5%"."""
    normalize_unicode: bool = True
    """Treat different spellings of a character as one, and curly quotes and dashes as plain."""

    def check_example(self, example: Example) -> None:
        """Refuses a row of whose targets every one is a text that every answer contains."""
        self._wanted(example)

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Looks for each target in the answer."""
        answer = self._normalize(sample.text)
        bare = drop_emphasis(answer)
        for target, wanted in self._wanted(example).items():
            if self._contains(answer, wanted) or self._contains(bare, wanted):
                return Grade(1.0, f"found {quoted_any([target])}")
        return Grade(0.0, f"did not find {quoted_any(example.targets)}")

    def _wanted(self, example: Example) -> dict[str, str]:
        """The targets as they are looked for; an alias that is empty is left out.

        Raises:
            DatasetError: All are.
        """
        spelled = {target: self._normalize(target) for target in example.targets}
        wanted = {target: text for target, text in spelled.items() if text}
        if not wanted:
            raise DatasetError(
                f"row {example.id!r} has an empty target, which every answer contains",
                fix="remove it",
            )
        return wanted

    def _normalize(self, text: str) -> str:
        if self.normalize_unicode:
            text = unify_unicode(text)
        if self.ignore_case:
            text = fold_case(text)
        return collapse_space(text)

    def _contains(self, answer: str, wanted: str) -> bool:
        if not self.whole_words:
            return wanted in answer
        before, after = _edge_before(wanted[0]), _edge_after(wanted[-1])
        return regex.search(f"{before}{regex.escape(wanted)}{after}", answer) is not None


def _edge_before(first: str) -> str:
    """What may not stand right before a whole word, or a whole number, as a regex."""
    if first.isdecimal():
        # "5" is a part of "-5", ".5", "1.5", "3/5", "10-5" and "12:5"
        return (
            rf"(?<![\w\p{{No}}±+−-])(?<![±+−-]{_PRICE})(?<!^\.)(?<![\d\s(]\.)"
            r"(?<![\d)][,:'’×*])(?<![\w)][/⁄^])"
        )
    # "one" is a part of "no-one", "t" of "don't", "D" of "R&D"
    return r"(?<![\w\p{No}])(?<!\w['’&-])" if first.isalnum() else ""


def _edge_after(last: str) -> str:
    """What may not stand right behind a whole word, or a whole number, as a regex."""
    if last.isdecimal():
        # "4" is a part of "4.5" and of "1,4", but not of "4." at the end of a sentence
        return r"(?![\w\p{No}+#])(?!\s?[%‰])(?![.,:'’×*]\d)(?![/⁄^-][\w(-])"
    return r"(?![\w\p{No}+#])(?!['’&-]\w)" if last.isalnum() else ""
