"""The grammar of one number: what a run of digits and signs has to be to stand for one.

A run is all that stands together: ``1,234``, ``3/4``, ``12:30``, ``1, 2, 3``, ``10 - 3``. It is one
number by this grammar, or it is none: no part of it is ever read by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import regex

from proctor_text.latex import UNREADABLE

MOST_DIGITS = 400
"""Characters, and largest power of ten, of a number: more would cost time, not truth."""

_MOST_BITS = 10_000

_JOINING_WORDS = (
    "and|or|to|of|out of|in|at|on|by|per|from|through|till|until|vs|versus|times|multiplied by"
    "|divided by|over|plus|minus|less|mod|modulo|choose"
    "|und|oder|bis|et|ou|y|o|e|или|и|至|到|和|或|または|と"
)


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


@cache
def run_pattern(decimal_comma: bool) -> Any:
    """Finds each run in a text of one spelling, and each sign of a number that can't be read."""
    point = "," if decimal_comma else r"\."
    # a variable and a currency before the next number: "x = 3 or x = 4", "$3, $4"
    prefix = r"\$?(?:[A-Za-z](?:_\d)?[ ]?=[ ]?)?[-+±]?[ ]?\$?\p{Sc}?[-+±]?"
    closing = r"[ ]?[%°'\"]?\$?"
    operators = r"\*\*|\.{2,3}|…|[-^+×*/÷±~xX]|(?<=[ ]):|:(?=\d)"
    words = _JOINING_WORDS.replace(" ", "[ ]")
    joiner = (
        r"[eE][+-]?"
        r"|[.,'_]"
        rf"|{closing}[ ]{{1,2}},?[ ]?(?:{words})[ ]{{1,2}}{prefix}"
        rf"|{closing}[ ]?[,;&][ ]?(?:(?:and|or)[ ])?{prefix}"
        rf"|{closing}[ ]{{0,2}}(?:{operators}){{1,2}}[ ]{{0,2}}{prefix}"
        r"|['\"]?[ ]{1,8}"
    )
    return regex.compile(
        rf"{regex.escape(UNREADABLE)}|[π∞√]"
        rf"|(?P<run>(?:(?<![\w.,\)]){point})?\d+(?:(?>(?:{joiner})\d+))*+)",
        regex.IGNORECASE,
    )


@cache
def _number_pattern(decimal_comma: bool) -> Any:
    group, point = (r"\.", ",") if decimal_comma else (",", r"\.")
    first = r"[1-9]\d{0,2}"
    whole = (
        rf"\d+|{first}(?:{group}\d{{3}})+|{first}(?:'\d{{3}})+|{first}(?:_\d{{3}})+"
        rf"|[1-9]\d?(?:{group}\d\d)+{group}\d{{3}}"  # lakh and crore
    )
    # two points can't be a decimal
    other = rf"{first}(?:{point}\d{{3}}){{2,}}(?:{group}\d+)?"
    plain = rf"(?:(?:{whole})(?:{point}\d+)?|{point}\d+|{other})"
    spaced = rf"{first}(?:[ ]\d{{3}})+(?:{point}\d+)?"
    power = r"[ ]{0,2}(?:\^|\*\*)[ ]{0,2}[+-]?\d+"
    return regex.compile(
        r"(?P<units>\d+)[ ](?P<part>\d+)/(?P<whole>\d+)"
        rf"|(?P<over>{plain})[ ]?/[ ]?(?P<under>{plain})"
        rf"|(?P<number>{plain}|{spaced})"
        rf"(?:[eE](?P<e>[+-]?\d+)|[ ]{{0,2}}[×xX*][ ]{{0,2}}10(?P<ten>{power})|(?P<power>{power}))?"
    )


def run_value(run: str, decimal_comma: bool) -> Fraction | None:
    """The number that a run is; None where it is none, or several, or too large, or x/0."""
    if len(run) > MOST_DIGITS:
        return None
    match = _number_pattern(decimal_comma).fullmatch(run)
    if match is None:
        return None
    try:
        if match["part"]:
            value = _mixed(match["units"], match["part"], match["whole"])
        elif match["over"]:
            over, under = match["over"], match["under"]
            value = _plain_value(over, decimal_comma) / _plain_value(under, decimal_comma)
        else:
            value = _power(_plain_value(match["number"], decimal_comma), match)
    except ZeroDivisionError:
        return None
    if value is None or max(value.numerator.bit_length(), value.denominator.bit_length()) > (
        _MOST_BITS
    ):
        return None
    return value


def _mixed(units: str, part: str, whole: str) -> Fraction | None:
    # "3 5/2" is no mixed number, and "1 000/3" may be a thousand by three
    if int(part) >= int(whole) or (len(part) == 3 and len(units) <= 3):
        return None
    return int(units) + Fraction(int(part), int(whole))


def _plain_value(digits: str, decimal_comma: bool) -> Fraction:
    group, point = (".", ",") if decimal_comma else (",", ".")
    if digits.count(point) > 1:
        group, point = point, group
    digits = regex.sub(r"[ '_]", "", digits.replace(group, ""))
    return Fraction("0" + digits.replace(point, "."))


def _power(value: Fraction, match: Any) -> Fraction | None:
    exponent = match["e"] or match["ten"] or match["power"]
    if exponent is None:
        return value
    steps = int(regex.sub(r"[^\d+-]", "", exponent.replace("**", "")))
    if abs(steps) > MOST_DIGITS:
        return None
    if match["power"]:
        return value**steps
    return value * Fraction(10) ** steps
