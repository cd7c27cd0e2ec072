"""Numbers in text: as people, models and LaTeX write them, read exactly or not at all."""

from __future__ import annotations

from typing import Any

import regex

from proctor_text.latex import final_box
from proctor_text.number_context import (
    Doubt,
    Place,
    is_list_mark,
    scale_after,
    sign_before,
)
from proctor_text.number_grammar import Numeral as Numeral, run_pattern, run_value
from proctor_text.number_spelling import plain_numbers
from proctor_text.units import is_unit_word

MOST_CHARACTERS = 100_000
"""Characters of an answer in which a number is looked for: its last ones."""

_MARK = regex.compile(r"(?m)^[ \t]*(\d{1,3})[.)][ \t]+(?=\S)")
_HYPHENS = regex.compile(r"(?m)^[ \t]*[-+][ \t]+\S")
_NEXT_VALUE = regex.compile(r"(?:[,;]|\b(?:and|or)\b)[\s$]{0,3}\p{L}[\p{L}\d_]{0,9}[\s$]{0,3}$")
"""What ends the value of one variable and names the next: the "5, y" of "x = 5, y = 6"."""
_UNITS = regex.compile(r"[\s\p{L}\p{M}\p{Sc}.,:;()\[\]'\"#°%‰≈~!/×+-]*")


def first_numeral(text: str, decimal_comma: bool = False) -> Numeral | None:
    """The first number in a text; None where it can't be read for sure."""
    readings = _Readings(text[:MOST_CHARACTERS], decimal_comma)
    for match in readings.matches:
        read = readings.read(match)
        if read != "name":
            return read if isinstance(read, Numeral) else None
    return None


def sole_numeral(text: str, decimal_comma: bool = False) -> Numeral | None:
    r"""The number that a text consists of, but for currency, units and the left side of "=".

    For a text with a box, that of the last box. None where there is no number, or several, or an
    expression such as ``2x`` or ``3\pi``.
    """
    box = final_box(text[-MOST_CHARACTERS:])
    text = plain_numbers(text if box is None else box, decimal_comma)
    parts = regex.split("[=≈]", text)
    if any(map(_NEXT_VALUE.search, parts[1:-1])):
        return None
    sides = [part for part in parts if regex.search(r"[\dπ∞√\\]", part)]
    side = sides[-1] if sides else ""
    readings = _Readings(side, decimal_comma, is_alone=True)
    found = [(match, readings.read(match)) for match in readings.matches[:50]]
    others = [(match, read) for match, read in found if read != "name"]
    if len(others) != 1:
        return None
    match, read = others[0]
    if not isinstance(read, Numeral):
        return None
    after = regex.sub(r"(?<=\p{L})[ ]?\^[+-]?\d+", "", side[match.end() :])
    around = side[: match.start()] + " " + after
    # digits that belong to a name, such as x_1, leave a value in doubt
    if not _UNITS.fullmatch(around):
        return None
    words = regex.findall(r"\p{L}{2,}", after)
    return read if all(map(is_unit_word, words)) else None


def target_numeral(text: str, decimal_comma: bool = False) -> Numeral | None:
    """The number that a target is; None for one that is no number for sure.

    A target is held to more than an answer: a sign in words is refused.
    """
    read = sole_numeral(text, decimal_comma)
    return None if read is None or (read.value < 0 and "-" not in read.text) else read


def final_numeral(text: str, decimal_comma: bool = False) -> tuple[Numeral | None, str]:
    r"""The number that an answer ends on, and what was looked at to find it.

    The last ``\boxed{}`` is the answer, whatever follows it; without one, the last number is.
    """
    text = text[-MOST_CHARACTERS:]
    box = final_box(text)
    if box is not None:
        return sole_numeral(box, decimal_comma), f"\\boxed{{{box}}}"
    readings = _Readings(text, decimal_comma)
    for match in reversed(readings.matches):
        read = readings.read(match)
        if read != "name":
            return (read if isinstance(read, Numeral) else None), text
    return None, text


class _Readings:
    """The runs of digits in a text, and what each is."""

    def __init__(self, text: str, decimal_comma: bool, *, is_alone: bool = False) -> None:
        self.text = text if is_alone else plain_numbers(text, decimal_comma)
        self.decimal_comma = decimal_comma
        self.is_alone = is_alone
        self.matches: list[Any] = list(run_pattern(decimal_comma).finditer(self.text))
        self._marks = {int(number) for number in _MARK.findall(self.text)}
        self._has_list = len(_HYPHENS.findall(self.text)) > 1

    def read(self, match: Any) -> Numeral | Doubt:
        """The number that a match is, or why it is none."""
        if match["run"] is None:
            return "unclear"
        start, end = match.span("run")
        place = Place(self.text, start, end, self.is_alone, self._has_list)
        if self._is_list_number(match["run"], place):
            return "name"
        sign = 1 if is_list_mark(place) else sign_before(place)
        if not isinstance(sign, int):
            return sign
        value = run_value(match["run"], self.decimal_comma)
        if value is None:
            return "unclear"
        point = "," if self.decimal_comma else "."
        scale = scale_after(place, point in match["run"])
        if scale is None:
            return "unclear"
        text = regex.search(r"(?:[-+][\s\p{Sc}]*)?$", place.before)
        lead = text[0] if text and not is_list_mark(place) else ""
        words = regex.match(r"\s?%", place.after)
        return Numeral(lead + match["run"] + (words[0] if words else ""), sign * value, scale)

    def _is_list_number(self, run: str, place: Place) -> bool:
        """Whether a number is the mark of a list: "2." after "1." at the start of a line."""
        if place.before.strip() or not regex.match(r"[.)][ \t]+\S", place.after):
            return False
        return run.isdigit() and len(run) < 4 and bool({int(run) - 1, int(run) + 1} & self._marks)
