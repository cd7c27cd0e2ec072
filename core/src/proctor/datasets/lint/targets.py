"""Targets: missing and empty ones, ones that the prompt gives away, and the constant answer."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from proctor.datasets.lint.finding import (
    Finding,
    Severity,
    Tally,
    first_rows,
    normalised,
    prompt_text,
    target_texts,
)
from proctor.datasets.selection import HIDDEN_LABEL
from proctor.hashing import hash64
from proctor.types import Example

MOST_TEXTS = 10_000
"""Most different targets whose text is kept, to name the constant answer."""

WEAK_BASELINE = 0.6
"""From this score of the constant answer on, it is a warning: two balanced classes give 0.5."""

LEAK_SHARE = 0.05
"""From this share of rows on, targets in their prompts are a warning."""

_HIDDEN_HINT = "where a split's labels are hidden, take another one, such as validation"


class TargetsCheck:
    """Finds rows without a target, with an empty one, or with one that their prompt contains."""

    def __init__(self, *, needs_target: bool) -> None:
        self._needs_target = needs_target
        self._rows = 0
        self._without = Tally()
        self._blank = Tally()
        self._hidden = Tally()
        self._in_prompt = Tally()

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        self._rows = row
        targets = target_texts(example)
        if self._needs_target and (example.target is None or example.target == []):
            self._without.add(row)
        if any(not target.strip() for target in targets):
            self._blank.add(row)
        if targets == [HIDDEN_LABEL]:
            self._hidden.add(row)
        prompt = f" {normalised(prompt_text(example))} "
        wanted = [normalised(target) for target in targets]
        if any(len(target) > 1 and f" {target} " in prompt for target in wanted):
            self._in_prompt.add(row)

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        hint = f"{_HIDDEN_HINT}; else "
        is_all = self._without.count == self._rows
        yield from self._without.finding(
            "no-target",
            "error",
            "no row has a target" if is_all else "no target",
            (hint if is_all else "") + "map the dataset's column to target, or remove the rows",
        )
        is_all = self._blank.count == self._rows
        yield from self._blank.finding(
            "empty-target",
            "error",
            "every target is empty" if is_all else "an empty target",
            (hint if is_all else "") + "remove the rows: an empty target is part of every answer",
        )
        if self._hidden.count == self._rows > 1:
            yield from self._hidden.finding(
                "hidden-target", "error", f"every target is {HIDDEN_LABEL}", _HIDDEN_HINT
            )
        often = self._in_prompt.count >= LEAK_SHARE * self._rows
        severity: Severity = "warning" if often else "info"
        yield from self._in_prompt.finding(
            "target-in-prompt",
            severity,
            "the prompt contains the target",
            "grade by exact match, or reword: repeating the question is a right answer",
        )


class ConstantAnswerCheck:
    """Finds the score of the best answer that is always the same."""

    def __init__(self) -> None:
        self._rows = 0
        self._hashes = array("Q")
        self._at = array("I")
        self._texts: dict[int, str] = {}

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        self._rows = row
        for target in {normalised(text) for text in target_texts(example) if text.strip()}:
            key = hash64(target)
            self._hashes.append(key)
            self._at.append(row)
            if len(self._texts) < MOST_TEXTS:
                self._texts.setdefault(key, target[:80])

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        if self._rows < 2 or not self._hashes:
            return
        hashes = np.array(self._hashes, dtype=np.uint64)
        keys, counts = np.unique(hashes, return_counts=True)
        best = int(counts.argmax())
        count = int(counts[best])
        if count < 2:
            return
        rows = np.array(self._at, dtype=np.int64)[hashes == keys[best]]
        first = first_rows(rows)
        text = self._texts.get(int(keys[best]))
        answer = f"the target of row {first[0]}" if text is None else repr(text)
        share = count / self._rows
        severity: Severity = (
            "error" if share == 1 else "warning" if share >= WEAK_BASELINE else "info"
        )
        yield Finding(
            "constant-answer",
            severity,
            f"always answering {answer} scores {share:.3f}",
            count,
            first,
            "balance the targets, or read scores against this one",
            {"answer": text, "score": share},
        )
