"""The f1 grader."""

from __future__ import annotations

import string
from collections import Counter

from proctor import DatasetError, Example, Grade, Grader, Sample
from proctor_text.normalization import drop_articles, fold_case, quoted, quoted_any, unify_unicode

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class F1(Grader):
    """Overlap of the answer's words with the target's, as SQuAD measures it; best of several.

    The harmonic mean of precision and recall over words, each counted as often as it stands there,
    after dropping case, ASCII punctuation and articles (Rajpurkar et al., 2016). Words are what
    spaces separate, so it says little about languages written without them.
    """

    ignore_articles: bool = True
    """Drop "a", "an" and "the"."""

    def check_example(self, example: Example) -> None:
        """Refuses a row of whose targets none has a word left to compare."""
        self._wanted(example)

    def grade(self, example: Example, sample: Sample) -> Grade:
        """The best F1 over the targets."""
        words = self._words(sample.text)
        scored = [(_f1(words, wanted), target) for target, wanted in self._wanted(example)]
        value, target = max(scored, key=lambda pair: pair[0])
        return Grade(value, f"nearest target {quoted(target)}")

    def _wanted(self, example: Example) -> list[tuple[str, list[str]]]:
        """The targets with their words; an alias of which no word is left is left out.

        Raises:
            DatasetError: No target has a word.
        """
        read = [(target, self._words(target)) for target in example.targets]
        wanted = [(target, words) for target, words in read if words]
        if not wanted:
            raise DatasetError(
                f"row {example.id!r}: the target {quoted_any(example.targets)} has no word to "
                "compare",
                fix="remove it, or use the grader 'exact'",
            )
        return wanted

    def _words(self, text: str) -> list[str]:
        plain = fold_case(unify_unicode(text)).translate(_NO_PUNCTUATION)
        return (drop_articles(plain) if self.ignore_articles else plain).split()


def _f1(answer: list[str], target: list[str]) -> float:
    shared = sum((Counter(answer) & Counter(target)).values())
    # 2PR / (P + R), with P = shared / answer and R = shared / target
    return 2 * shared / (len(answer) + len(target)) if shared else 0.0
