"""Targets that stand in their column beside or inside other text."""

from __future__ import annotations

import functools
import json
from collections import deque
from typing import Any

import regex

from proctor import DatasetError

SECONDS = 2.0
"""How long a pattern may look at one row; the library looks at the clock now and then only."""


@functools.lru_cache(maxsize=64)
def compiled(pattern: str) -> regex.Pattern[str]:
    """A regular expression, which can be given a deadline.

    Raises:
        ValueError: It is none.
    """
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"no regular expression: {error}") from None


def cut_out(pattern: str, text: str, name: str, where: str) -> str:
    """What a pattern finds in a text: the first group, or all, of its last match.

    Raises:
        DatasetError: It finds nothing, or takes too long.
    """
    expression = compiled(pattern)
    try:
        # concurrent: other threads run meanwhile, so that Ctrl-C is heard
        found = expression.finditer(text, timeout=SECONDS, concurrent=True)
        last = deque(found, maxlen=1)
    except TimeoutError:
        raise DatasetError(
            f"target_pattern {pattern!r} takes more than {SECONDS:g} s in column {name!r}",
            where=where,
            fix="write it without a repetition within a repetition",
        ) from None
    if not last:
        raise DatasetError(
            f"target_pattern matches nothing in column {name!r}: {text[:60]!r}", where=where
        )
    return (last[0].group(min(1, expression.groups)) or "").strip()


def from_json(text: str, name: str, where: str) -> Any:
    """A target, or a list of them, that stands in its column as JSON; numbers as written.

    Raises:
        DatasetError: It is no JSON, or neither text, a number nor a list of these.
    """
    try:
        # 1.10 as a float is another text
        value = json.loads(text, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise DatasetError(
            f"column {name!r} holds no JSON: {text[:60]!r}",
            where=where,
            fix="leave 'target_format' out where the target is plain text",
        ) from None
    if isinstance(value, dict):
        raise DatasetError(f"column {name!r} holds a JSON object, and no target", where=where)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no value of JSON")
