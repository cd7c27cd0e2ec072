"""Findings: what is odd about a dataset, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, Protocol

from proctor.types import Example, text_with_images

Severity = Literal["error", "warning", "info"]
"""``error``: a score would be wrong or a run would end; ``warning``: a score may mislead; ``info``:
what to know when reading a score."""

MOST_ROWS = 5
"""Most rows that a finding names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a dataset that a person should know.

    Attributes:
        check: The check's name, for tools.
        severity: How bad it is.
        message: What was found, in one clause.
        count: In how many rows.
        rows: The first few of them, counted from 1.
        fix: What to do about it.
        details: The numbers behind it.
    """

    check: str
    severity: Severity
    message: str
    count: int
    rows: tuple[int, ...]
    fix: str
    details: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The finding as JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "message": self.message,
            "count": self.count,
            "rows": list(self.rows),
            "fix": self.fix,
            "details": dict(self.details),
        }


class Check(Protocol):
    """Looks at each row once, and then says what it found. Keeps numbers, never rows."""

    def look(self, row: int, example: Example) -> None:
        """Takes the next row, counted from 1."""

    def findings(self) -> Iterator[Finding]:
        """What was found in the rows so far."""


class Tally:
    """How many rows something holds for, and which are the first."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[int] = []

    def add(self, row: int) -> None:
        """Counts a row."""
        self.count += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(row)

    def finding(self, check: str, severity: Severity, message: str, fix: str) -> Iterator[Finding]:
        """The finding, if there is any row."""
        if self.count:
            yield Finding(check, severity, message, self.count, tuple(self.rows), fix)


def first_rows(rows: Iterable[int]) -> tuple[int, ...]:
    """The first few of the rows, as plain integers."""
    return tuple(int(row) for row in islice(rows, MOST_ROWS))


def normalised(text: str) -> str:
    """Text as lint compares it: case, punctuation and spacing make no difference."""
    spaced = "".join(c if c.isalnum() else " " for c in text.casefold())
    return " ".join(spaced.split()) or " ".join(text.split())


def prompt_text(example: Example) -> str:
    """The text of an example's input; images by their digests."""
    return "\n".join(text_with_images(message) for message in example.messages)


def gold_position(example: Example) -> int | None:
    """The index of the right option; None where there is none that exists."""
    target = example.target
    if isinstance(target, bool) or not isinstance(target, int) or example.choices is None:
        return None
    return target if 0 <= target < len(example.choices) else None


def target_texts(example: Example) -> list[str]:
    """The targets; none where the right option does not exist."""
    if isinstance(example.target, int) and gold_position(example) is None:
        return []
    return example.targets
