"""Numbers in text: as people, models and LaTeX write them, read exactly."""

from __future__ import annotations

import unicodedata
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import regex

from proctor_text.latex import UNREADABLE, boxed, plain_latex
from proctor_text.normalization import LETTER, unify_unicode

SCALES = {
    "%": Fraction(1, 100),
    "percent": Fraction(1, 100),
    "per cent": Fraction(1, 100),
    "thousand": Fraction(10**3),
    "million": Fraction(10**6),
    "billion": Fraction(10**9),
    "trillion": Fraction(10**12),
}
"""What may follow a number and scale it."""

_MOST_DIGITS = 400
"""Digits, and largest power of ten, of a number that is read: more would cost time, not truth."""

_MOST_BITS = 10_000

_UNIT_EXPONENT = regex.compile(
    r"(?<![A-Za-z])(?:[cdkm]?m|in|ft|yd|mi|s|units?|inches|feet|met(?:er|re)s?|seconds?)"
    r"\s*\^\s*(?:[23]|\{[23]\})"
)
_VARIABLE = regex.compile(r"\s*[abiknpqrtxyz](?![A-Za-z])")
_UNITS = regex.compile(r"[\s\p{L}$€£¥₹₩₽.,:;()\[\]{}~*_'\"#°]*")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it stands in a text.

    Attributes:
        text: The characters that it was read from.
        value: The number, without its scale.
        scale: 1/100 for a percentage, 10**6 for "million"; 1 without such a word.
    """

    text: str
    value: Fraction
    scale: Fraction = Fraction(1)

    @property
    def scaled(self) -> Fraction:
        """The number with its scale."""
        return self.value * self.scale

    def readings(self, other: Numeral) -> list[tuple[Fraction, Fraction]]:
        """The pairs of values by which this number may be compared with another.

        Where only one of the two has a scale, the other may be meant with it or without: "50%" is
        50 to one data set and 0.5 to the next.
        """
        pairs = [(self.scaled, other.scaled)]
        if (self.scale == 1) != (other.scale == 1):
            pairs.append((self.value, other.value))
        return pairs


def first_numeral(text: str, decimal_comma: bool = False) -> Numeral | None:
    """The first number in a text."""
    first = next(iter(_matches(_plain(text), decimal_comma)), None)
    return _numeral(first, decimal_comma) if first else None


def sole_numeral(text: str, decimal_comma: bool = False) -> Numeral | None:
    r"""The number that a text consists of, but for currency, units and the left side of "=".

    For a text with a box, that of the last box. None where there is no number, or several, or an
    expression such as ``2x`` or ``3\pi``.
    """
    box = boxed(text)
    text = _plain(text if box is None else box)
    plain = _UNIT_EXPONENT.sub("units", regex.split(r"[=≈]|\\approx", text)[-1])
    found = list(_matches(plain, decimal_comma))
    if len(found) != 1 or UNREADABLE in plain:
        return None
    start, end = found[0].span()
    before, after = plain[:start], regex.sub(r"(?<=[A-Za-z])/(?=[A-Za-z])", " ", plain[end:])
    if _VARIABLE.match(after) or not _is_unit(before) or not _is_unit(after):
        return None
    return _numeral(found[0], decimal_comma)


def final_numeral(text: str, decimal_comma: bool = False) -> tuple[Numeral | None, str]:
    r"""The number that an answer ends on, and what was looked at to find it.

    The last ``\boxed{}`` is the answer, whatever follows it; without one, the last number is.
    """
    box = boxed(text)
    if box is not None:
        return sole_numeral(box, decimal_comma), f"\\boxed{{{box}}}"
    last = deque(_matches(_plain(text), decimal_comma), maxlen=1)
    return (_numeral(last[0], decimal_comma) if last else None), text


def _is_unit(text: str) -> bool:
    return _UNITS.fullmatch(text) is not None


_VULGAR = {ord(c): unicodedata.normalize("NFKC", c).replace("⁄", "/") for c in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_GROUPED = regex.compile(r"(?<!\d)\d{1,3}(?:(?:['_\u00a0\u2009\u202f]|\\[,;! ]|\{,\})\d{3})+(?!\d)")


def _plain(text: str) -> str:
    """The text with one spelling for each sign that a number is made of."""
    text = _GROUPED.sub(lambda m: regex.sub(r"\D", "", m[0]), text.replace("’", "'"))
    text = regex.sub(r"(?<=\d)(?=[¼½¾⅐-⅞])", " ", text).translate(_VULGAR)
    text = regex.sub("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + m[0].translate(_SUPERSCRIPT), text)
    text = unify_unicode(text)
    if not text.isascii():
        text = regex.sub(r"[^\D0-9]", lambda m: str(unicodedata.digit(m[0])), text)
    return plain_latex(text)


@cache
def _pattern(decimal_comma: bool) -> Any:
    group, point = (r"\.", ",") if decimal_comma else (",", r"\.")
    whole = (
        rf"(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d|{group}\d)"
        rf"|\d{{1,2}}(?:{group}\d\d)+{group}\d{{3}}(?!\d|{group}\d)"  # lakh and crore
        r"|\d+)"
    )
    plain = rf"(?:{whole}(?:{point}\d+)?|(?<![{LETTER}\d.,]){point}\d+)"
    power = r"\s*\^\s*(?:[+-]?\d+|\{\s*[+-]?\d+\s*\})"
    scales = "|".join(word.replace(" ", r"\s") for word in SCALES)
    return regex.compile(
        rf"(?:(?<![{LETTER}\d_)\]}}%.-])(?P<sign>[+-])(?:[$€£¥₹₩₽]\s?)?)?"
        rf"(?<![{LETTER}\d_^])(?<!\d{point})(?<![_^]\{{)(?<!\^[+-])"
        r"(?:"
        rf"(?P<units>\d+)\s+(?P<part>\d+)/(?P<whole>\d+)(?![/\d])"
        rf"|(?<!\d/)(?P<over>{plain})\s?/\s?(?P<under>{plain})(?!/?\d)"
        rf"|(?P<number>{plain})"
        rf"(?:[eE](?P<e>[+-]?\d+)(?![{LETTER}\d])"
        rf"|\s*[×x*·]\s*10(?P<ten>{power})|(?P<power>{power}))?"
        r")"
        rf"(?:\s*(?P<scale>{scales})(?![{LETTER}]))?",
        regex.IGNORECASE,
    )


def _matches(plain: str, decimal_comma: bool) -> Any:
    return _pattern(decimal_comma).finditer(plain)


def _numeral(match: Any, decimal_comma: bool) -> Numeral | None:
    """The number that a match of the pattern stands for; None where it is too large, or x/0."""
    if len(match[0]) > _MOST_DIGITS:
        return None

    def read(name: str) -> Fraction:
        digits = match[name]
        if decimal_comma:
            digits = digits.replace(".", "").replace(",", ".")
        return Fraction("0" + digits.replace(",", ""))

    try:
        if match["part"]:
            value = read("units") + read("part") / read("whole")
        elif match["over"]:
            value = read("over") / read("under")
        else:
            value = read("number")
            exponent = match["e"] or match["ten"] or match["power"]
            if exponent:
                steps = int(regex.sub(r"[^\d+-]", "", exponent))
                if abs(steps) > _MOST_DIGITS:
                    return None
                value = value**steps if match["power"] else value * Fraction(10) ** steps
    except ZeroDivisionError:
        return None
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        return None
    if match["sign"] == "-":
        value = -value
    scale = " ".join((match["scale"] or "").casefold().split())
    return Numeral(match[0].strip(), value, SCALES.get(scale, Fraction(1)))
