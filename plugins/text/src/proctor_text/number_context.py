"""What stands around a number: signs, currency, units, and what makes it a part of something else.

A number in an expression, a name, a comparison or a call is not the number that an answer gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import regex

from proctor_text.normalization import LETTER
from proctor_text.units import FUNCTION_NAMES, SCALES, SHORT_UNITS, UNIT_LETTERS, is_unit_word

Doubt = Literal["name", "unclear"]
"""Digits that are a part of a name (``H2O``, ``x_1``, ``cm^2``), or that can't be read for sure."""

_REACH = 80
"""Characters that are looked at on either side."""

_CURRENCY = regex.compile(
    r"(?:(?<![A-Za-z])(?:US|CA|AU|NZ|HK|[ACRS])?\p{Sc}{1,3}"
    r"|(?<![A-Za-z])(?:USD|EUR|GBP|INR|JPY|CNY|RMB|CHF|CAD|AUD|Rs|RM|kr)\.?)[ ]?$"
)
_MINUS = "minus|moins|menos|meno|минус|мінус|miinus|eksi|âm|μείον"
_NEGATIVE = "negative|负|負|マイナス|마이너스|سالب|ناقص|ऋण"
_SIGN = regex.compile(
    rf"(?:(?P<sign>[+-])(?P<space>[ ]*)|(?<![{LETTER}])(?P<minus>{_MINUS})[ ]+"
    rf"|(?<![{LETTER}])(?P<negative>{_NEGATIVE})[ ]*)$",
    regex.IGNORECASE,
)
_IS = regex.compile(
    rf"(?<![{LETTER}])(?:is|are|was|be|equals?|equal to|gives?|makes?|becomes?|ist|sind|lautet|est"
    r"|es|è|é|это|to|of|at|get|by)$",
    regex.IGNORECASE,
)
_OPERATOR_BEFORE = regex.compile(r"[×÷/*±<>≤≥≠√∛^\\]\s*$|\\[A-Za-z]+\s*$|\|$")
_FUNCTION = regex.compile(
    rf"(?<![{LETTER}])(?:a?(?:rc)?(?:sin|cos|tan|cot)h?|sec|csc|log|ln|lg|exp|sqrt|gcd|lcm|det|mod"
    r"|root of|factorial of|log(?:arithm)? of|power of|half of|half|twice|thrice|plus|times"
    r"|divided by|multiplied by|plus or minus|or)\s*\(?$",
    regex.IGNORECASE,
)
_VARIABLE_BEFORE = regex.compile(rf"(?<![{LETTER}'])(?![aAI])[A-Za-zα-ωΑ-Ω]\s+$")
_CLOSED_BEFORE = regex.compile(rf"[\d)\]%°!]$|(?<![{LETTER}'])\p{{L}}$")
_QUANTITY_BEFORE = regex.compile(r"\d\s?(\p{L}{1,4})$")

_NO_UNITS = regex.compile(
    r"(?:squared|cubed|factorial|plus|minus|over|mod|choose|to the power|raised to|divided by"
    r"|multiplied by|and a (?:half|third|quarter|fifth)|and one|point|or more|or less"
    r"|thousand|million|billion|trillion|hundred|dozen)"
    rf"(?![{LETTER}])",
    regex.IGNORECASE,
)
_OPERATOR_AFTER = regex.compile(r"[|∣]|[ ]*(?:[+±×*÷^<>≤≥≠√π∞\\]|/(?![ ]?\p{L})|:(?=\d))")
_DASH_AFTER = regex.compile(r"-(?=\p{L}{2})|[ ]+--?(?=[ ]+\p{L}{2}|[ ]*$)|[ ]*--")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run of digits stands.

    Attributes:
        text: The text, in one spelling.
        start: Where the run begins.
        end: Where it ends.
        is_alone: Whether the text is one value, such as that of a box, and not an answer's prose.
        has_list: Whether several lines of the text begin with a hyphen.
    """

    text: str
    start: int
    end: int
    is_alone: bool
    has_list: bool

    @property
    def before(self) -> str:
        """What stands before the run, in its line."""
        return self.text[max(0, self.start - _REACH) : self.start].rpartition("\n")[2]

    @property
    def after(self) -> str:
        """What stands behind the run, in its line."""
        return self.text[self.end : self.end + _REACH].partition("\n")[0]


def sign_before(place: Place) -> int | Doubt:
    """1 or -1 by the sign before a number, or why there is no number to be read."""
    before = place.before
    head = _CURRENCY.sub("", before)
    is_price = head != before
    if not is_price and (regex.search(rf"[{LETTER}\p{{M}}_]$|[_^][+-]?$", before)):
        # "x^2" is an expression, "m^2" a unit
        power = regex.search(rf"(?<![{LETTER}])(\p{{L}})\^[+-]?$", before)
        is_variable = power is not None and power[1] not in UNIT_LETTERS
        return "unclear" if is_variable and not _follows_number(before) else "name"
    found = _SIGN.search(head)
    if found is None:
        return "unclear" if _is_bound(head, is_price) else 1
    rest = head[: found.start()]
    value = 1 if found["sign"] == "+" else -1
    return value if _is_sign(place, rest, found) else "unclear"


def _follows_number(before: str) -> bool:
    return regex.search(r"\d[ ]?\p{L}\^", before) is not None


def _is_bound(head: str, is_price: bool) -> bool:
    """Whether what stands before a number without a sign makes it a part of something."""
    rest = head.rstrip("\"'“")
    while rest.endswith(("(", "[")):
        rest = rest[:-1]
        if regex.search(r"(?:[\p{L}\d)\]]|\d[.,])$", rest):
            return True  # a call, or a product
        if regex.search(r"[+-]\s*$", rest):
            return True
    if regex.search(r"[)\]!%°@&]$", rest) and not is_price:
        return True
    if regex.search(r"\p{L},$", rest) or _ends_quantity(rest.rstrip(" .")):
        return True
    return any(pattern.search(rest) for pattern in (_OPERATOR_BEFORE, _FUNCTION, _VARIABLE_BEFORE))


def _ends_quantity(rest: str) -> bool:
    """Whether a number and its unit end here: "3 ft 2 in" is neither 3 nor 2."""
    quantity = _QUANTITY_BEFORE.search(rest)
    if quantity is None:
        return False
    return quantity[1] in UNIT_LETTERS or quantity[1].casefold() in SHORT_UNITS


def _is_sign(place: Place, rest: str, found: regex.Match[str]) -> bool:
    """Whether a plus or minus is a number's sign: not an operator, a dash or a list mark."""
    is_close = bool(found["negative"]) or (found["sign"] is not None and not found["space"])
    bare = rest.rstrip()
    if not bare:
        # "- 5" at the start of a line is a minus or the mark of a list
        return is_close or place.is_alone or found["sign"] is None
    if bare[-1] in "+-±×÷/*<>≤≥≠^√\\" or _FUNCTION.search(bare):
        return False
    if bare[-1] in "=≈:$\"'{":
        return True
    if bare[-1] in "([|":
        return regex.search(r"[\p{L}\d)\]][(\[|]$", bare) is None and bare[-2:] != "||"
    if not rest[-1].isspace():
        # Chinese and Japanese are written without spaces
        return regex.search(r"\p{L}$", bare) is not None and not regex.search(rf"[{LETTER}]$", bare)
    if _CLOSED_BEFORE.search(bare) or _ends_quantity(bare):
        return False
    return is_close or _IS.search(bare) is not None


def is_list_mark(place: Place) -> bool:
    """Whether a spaced hyphen before a number is the mark of a list of several lines."""
    return place.has_list and regex.fullmatch(r"[ \t]*[-+][ \t]+", place.before) is not None


def scale_after(place: Place, is_decimal: bool) -> Fraction | None:
    """The scale of a number by what follows it; None where that makes it no number."""
    after, scale = place.after, Fraction(1)
    for pattern, factor in SCALES:
        found = pattern.match(after)
        if found:
            after, scale = after[found.end() :], factor
            break
    if scale != 1 and any(pattern.match(after) for pattern, _ in SCALES):
        return None
    return None if _is_continued(place, after, is_decimal) else scale


def _is_continued(place: Place, after: str, is_decimal: bool) -> bool:
    """Whether what follows a number makes it a part of something."""
    if regex.match(r"[\p{M}₀-₉_(\[]|\.\(\d", after) or _OPERATOR_AFTER.match(after):
        return True
    if after.startswith("!"):
        # "5!" is a factorial; at the end of a sentence it is an exclamation
        in_sentence = regex.search(r"\p{L}{2}\W{0,3}$", place.before) is not None
        return place.is_alone or not in_sentence or not regex.match(r"!+(?:\s|$)", after)
    if regex.match(r"\.\.|…", after):
        return is_decimal
    if regex.match(r"[ ]*-", after):
        return _DASH_AFTER.match(after) is None
    found = regex.match(r"([ -]*|[ ]?/[ ]?)(\p{L}+)", after)
    return found is not None and not _is_unit(place, found, after)


def _is_unit(place: Place, found: regex.Match[str], after: str) -> bool:
    """Whether the letters behind a number are a unit or a word, and no variable."""
    gap, word = found[1], found[2]
    behind = after[found.end() : found.end() + 2]
    if behind[:1].isdigit() and not regex.match(r"[23](?!\d)", behind):
        return False  # "1h30", "5x7"; "5 m2" is an area
    if _NO_UNITS.match(after, found.start(2)) or word.casefold() in FUNCTION_NAMES:
        return False
    if not regex.match(rf"[{LETTER}]", word) or regex.match(r"[ ]*[ap]\.[ ]?m\b", after):
        return True  # a script that writes no variables
    if "/" in gap:
        return len(word) > 1 or word in UNIT_LETTERS
    if len(word) == 1:
        if gap:
            is_english = regex.match(r"[ ]+[aAI][ ]+\p{L}{2}", after) is not None
            return word in UNIT_LETTERS or regex.match("[а-я]", word) is not None or is_english
        # "$5m" is no length, and "k = 5m" may be a product
        in_math = place.is_alone or regex.search(r"\p{Sc}$|=.{0,3}$", place.before) is not None
        return word in UNIT_LETTERS and not in_math
    if gap and not place.is_alone:
        return True
    return is_unit_word(word) if gap or len(word) > 3 else word.casefold() in SHORT_UNITS
