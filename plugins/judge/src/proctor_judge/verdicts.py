"""From a judge's reply to a verdict: an anchored line, or a structured reply; else nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from proctor_judge.thinking import Unfinished, without_thinking

_DECORATION = "*_#`\"' \t"
_COLON = re.compile("[:\N{FULLWIDTH COLON}\N{SMALL COLON}]")
_FINAL = re.compile(r"(?:(?:my|the)\s+)?final\s+", re.IGNORECASE)
_STOPS = ".\N{IDEOGRAPHIC FULL STOP}"


class Unreadable(ValueError):
    """A reply that holds no verdict; the message says what was wrong, for the judge to mend."""


def read_lines(reply: str, names: Sequence[str], offered: Sequence[str]) -> dict[str, str]:
    """The verdicts of a text: for each name, its last line that gives one of those offered.

    A line counts that begins with the name and a colon, marks of emphasis and a "final" aside. The
    whole rest of it must be the verdict: ``CI`` is not ``C``, and ``CORRECT or not`` is not
    ``CORRECT``. No line of the judge's thinking counts.

    Args:
        reply: The judge's text.
        names: The names of the lines.
        offered: The verdicts that may be given.

    Raises:
        Unreadable: A name has no such line, or the thinking never ends.
    """
    words = {word.casefold(): word for word in offered}
    found: dict[str, str] = {}
    seen: dict[str, str] = {}
    lines = {name.casefold(): name for name in names}
    for line in _answer(reply).splitlines():
        start, *rest = _COLON.split(line.strip(_DECORATION), maxsplit=1)
        start = start.strip(_DECORATION).casefold()
        name = lines.get(start) or lines.get(_FINAL.sub("", start, count=1))
        if name is None or not rest:
            continue
        given = rest[0].strip(_DECORATION).rstrip(_STOPS).strip(_DECORATION)
        seen[name] = given
        if given.casefold() in words:
            found[name] = words[given.casefold()]
    _check(found, seen, names, offered)
    return found


def read_structured(reply: str, names: Sequence[str], offered: Sequence[str]) -> dict[str, str]:
    """The verdicts of a reply that was held to a JSON schema.

    Raises:
        Unreadable: It is no such JSON.
    """
    try:
        document = json.loads(reply)
    except ValueError:
        try:
            document = json.loads(_answer(reply))
        except json.JSONDecodeError as error:
            raise Unreadable(f"it is no JSON: {error}") from None
    given = document if isinstance(document, dict) else {}
    seen = {name: str(given[name]) for name in names if name in given}
    found = {name: verdict for name, verdict in seen.items() if verdict in offered}
    _check(found, seen, names, offered)
    return found


def _answer(reply: str) -> str:
    try:
        return without_thinking(reply)
    except Unfinished as error:
        raise Unreadable(str(error)) from None


def _check(
    found: dict[str, str], seen: dict[str, str], names: Sequence[str], offered: Sequence[str]
) -> None:
    for name in names:
        if name in found:
            continue
        choice = ", ".join(offered) if len(offered) <= 7 else f"{offered[0]} to {offered[-1]}"
        if name not in seen:
            raise Unreadable(f"there is no line '{name}: ...' with one of {choice}")
        given = re.sub(r"\s+", " ", seen[name])
        raise Unreadable(f"'{name}: {given:.80}' is not one of {choice}")
