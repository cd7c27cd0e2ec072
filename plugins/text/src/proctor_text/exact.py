"""The exact grader."""

from __future__ import annotations

from typing import ClassVar

from proctor import Example, Grade, Grader, Sample
from proctor_text.normalization import (
    collapse_space,
    drop_articles,
    drop_line_marks,
    fold_case,
    quoted,
    quoted_any,
    strip_punctuation,
    unify_unicode,
)
from proctor_text.targets import usable_targets


class Exact(Grader):
    """Correct when the whole answer is the target, or any of several."""

    version: ClassVar[int] = 2
    proportion: ClassVar[bool | None] = True

    ignore_case: bool = True
    """Compare without regard to case."""
    ignore_whitespace: bool = True
    """Compare words only: line ends and runs of spaces are one space, and those around are none."""
    ignore_punctuation: bool = True
    """Drop punctuation and Markdown around words; "3.5", "-5", "C#" and "50%" keep their signs."""
    ignore_articles: bool = False
    """Drop "a", "an" and "the"."""
    normalize_unicode: bool = True
    """Treat different spellings of a character as one, and curly quotes and dashes as plain."""

    def check_example(self, example: Example) -> None:
        """Refuses a row with empty targets only, which an empty answer would meet."""
        usable_targets(example)

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Compares the answer with each target."""
        targets = usable_targets(example)
        answer = self._normalize(sample.text)
        if any(answer == self._normalize(target) for target in targets):
            return Grade(1.0, f"read {quoted(sample.text)}")
        return Grade(0.0, f"read {quoted(sample.text)}, want {quoted_any(targets)}")

    def extract_answer(self, example: Example, sample: Sample) -> str | None:
        """The answer in the spelling in which it is compared; that of the first target if right."""
        answer = self._normalize(sample.text)
        aliases = [self._normalize(target) for target in example.targets if target.strip()]
        return (aliases[0] if answer in aliases else answer) or None

    def _normalize(self, text: str) -> str:
        if self.normalize_unicode:
            text = unify_unicode(text)
        if self.ignore_case:
            text = fold_case(text)
        # what a rule would leave nothing of keeps its spelling: "+" and "The" can be targets
        if self.ignore_punctuation:
            text = strip_punctuation(drop_line_marks(text)) or text
        if self.ignore_articles:
            text = drop_articles(text) or text
        return collapse_space(text) if self.ignore_whitespace else text
