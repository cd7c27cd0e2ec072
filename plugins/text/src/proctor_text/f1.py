"""The f1 grader."""

from __future__ import annotations

import string
from collections import Counter

from proctor import DatasetError, Example, Grade, Grader, Sample
from proctor_text.normalization import drop_articles, fold_case, quoted, unify_unicode

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
        """Refuses a target of which no word is left to compare."""
        for target in example.targets:
            if not self._words(target):
                raise DatasetError(
                    f"row {example.id!r}: the target {target!r} has no word to compare",
                    fix="remove it, or use the grader 'exact'",
                )

    def grade(self, example: Example, sample: Sample) -> Grade:
        """The best F1 over the targets."""
        words = self._words(sample.text)
        scored = [(_f1(words, self._words(target)), target) for target in example.targets]
        value, target = max(scored, key=lambda pair: pair[0])
        return Grade(value, f"nearest target {quoted(target)}")

    def _words(self, text: str) -> list[str]:
        plain = fold_case(unify_unicode(text)).translate(_NO_PUNCTUATION)
        return (drop_articles(plain) if self.ignore_articles else plain).split()


def _f1(answer: list[str], target: list[str]) -> float:
    shared = sum((Counter(answer) & Counter(target)).values())
    # 2PR / (P + R), with P = shared / answer and R = shared / target
    return 2 * shared / (len(answer) + len(target)) if shared else 0.0
