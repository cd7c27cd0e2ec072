"""Options of multiple choice questions, and where the right one stands."""

from __future__ import annotations

import string
from collections.abc import Iterator

from proctor.datasets.lint.finding import Finding, Severity, Tally, gold_position, target_texts
from proctor.datasets.lint.uniformity import uniform_p
from proctor.datasets.option_references import referring_options
from proctor.types import Example

MOST_OPTIONS = 26
"""Options are lettered A to Z."""

SIGNIFICANT = 0.01
"""The p-value under which positions are called uneven."""


class ChoicesCheck:
    """Finds options that can't be used or told apart.

    Args:
        are_shown: Whether the prompt shows them, by letters.
    """

    def __init__(self, *, are_shown: bool = True) -> None:
        self._are_shown = are_shown
        self._unusable = Tally()
        self._same = Tally()
        self._contained = Tally()
        self._referring = Tally()

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        if example.choices is None:
            if isinstance(example.target, int):
                self._unusable.add(row)
            return
        options = [" ".join(option.casefold().split()) for option in example.choices]
        most = MOST_OPTIONS if self._are_shown else len(options)
        is_usable = 2 <= len(options) <= most and all(options)
        if not is_usable or gold_position(example) is None:
            self._unusable.add(row)
        if len(set(options)) < len(options):
            self._same.add(row)
        if not self._are_shown:
            return
        if referring_options(example.choices):
            self._referring.add(row)
        distinct = sorted(set(options), key=len)[:MOST_OPTIONS]
        if any(
            shorter and shorter in longer
            for index, shorter in enumerate(distinct)
            for longer in distinct[index + 1 :]
        ):
            self._contained.add(row)

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        yield from self._unusable.finding(
            "unusable-choices",
            "error",
            "options without a right one among them, empty, fewer than 2 or more than 26",
            "give choices as a list of texts, and target as the index of the right one, from 0",
        )
        yield from self._same.finding(
            "same-choices", "error", "two options are the same", "remove one, or the row"
        )
        yield from self._referring.finding(
            "referring-choices",
            "warning",
            "an option refers to others or to their order, so that the row is not shuffled",
            "reword it, or read the score against where the right option stands",
        )
        yield from self._contained.finding(
            "contained-choices",
            "warning",
            "an option contains another",
            "grade by letter (choice): a substring grader takes one for the other",
        )


class GoldPositionCheck:
    """Finds whether the right option stands in some places more often than in others.

    Targets that are all single letters count as positions too: there the options are part of the
    prompt.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._positions: dict[int, list[int]] = {}
        self._letters = [0] * MOST_OPTIONS
        self._all_letters = True

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        if example.choices is not None:
            self._all_letters = False
            gold = gold_position(example)
            if gold is not None and len(example.choices) <= MOST_OPTIONS:
                count = len(example.choices)
                self._positions.setdefault(count, [0] * count)[gold] += 1
        elif self._all_letters:
            targets = target_texts(example)
            letter = targets[0].strip() if len(targets) == 1 else ""
            self._all_letters = len(letter) == 1 and letter in string.ascii_uppercase
            if self._all_letters:
                self._letters[ord(letter) - ord("A")] += 1

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        counts = self._positions
        if self._all_letters and any(self._letters):
            places = max(2, max(i for i, count in enumerate(self._letters) if count) + 1)
            counts = {places: self._letters[:places]}
        if not any(sum(group) for group in counts.values()):
            return
        histogram = [0] * max(counts)
        for group in counts.values():
            for position, count in enumerate(group):
                histogram[position] += count
        total = sum(histogram)
        p = uniform_p(counts, self._seed)
        best = max(range(len(histogram)), key=histogram.__getitem__)
        letter = string.ascii_uppercase[best]
        shown = "  ".join(
            f"{string.ascii_uppercase[i]} {count}" for i, count in enumerate(histogram)
        )
        severity: Severity = "warning" if p < SIGNIFICANT else "info"
        what = "unevenly" if p < SIGNIFICANT else "evenly, as far as can be told"
        yield Finding(
            "gold-position",
            severity,
            f"the right option is placed {what} (p = {p:.2g}): {shown}; "
            f"always {letter} scores {histogram[best] / total:.3f}",
            total,
            (),
            "leave shuffle_choices on; where options are in the prompt, shuffle them there"
            if p < SIGNIFICANT
            else "nothing to do",
            {
                "histogram": histogram,
                "p": p,
                "best_constant": letter,
                "score": histogram[best] / total,
            },
        )
