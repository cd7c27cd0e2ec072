"""Units, and words that scale a number: what may follow a number and leave it one."""

from __future__ import annotations

from fractions import Fraction

import regex

from proctor_text.normalization import LETTER

_SCALE_WORDS = {
    "%|percent|per cent": Fraction(1, 100),
    "‰|per mille": Fraction(1, 1000),
    "dozen": Fraction(12),
    "hundred": Fraction(100),
    "thousands?|tausend": Fraction(10**3),
    "lakhs?": Fraction(10**5),
    "millions?|millionen|millones|milioni|milhões|миллион(?:а|ов)?|mio|mln|млн": Fraction(10**6),
    "crores?": Fraction(10**7),
    "billions?|bn|milliards?|milliarden|миллиард(?:а|ов)?|mrd|млрд": Fraction(10**9),
    "trillions?": Fraction(10**12),
    "万|萬|만": Fraction(10**4),
    "亿|億|억": Fraction(10**8),
}
SCALES = [
    (regex.compile(rf"\s?(?:{words.replace(' ', '[ ]')})(?![{LETTER}])", regex.IGNORECASE), scale)
    for words, scale in _SCALE_WORDS.items()
]
"""What may follow a number and scale it: patterns, and by how much."""

UNIT_LETTERS = frozenset("gmshlLJNWVACFTdKΩÅµ")
"""Letters that are units where a space stands before them, and in prose."""

_SHORT_UNITS = """
    km cm mm nm um µm dm kg mg µg lb lbs oz ml cl dl kl ha ft yd mi in sq cu ly au pc kpc
    hz khz mhz ghz pa kpa mpa kj mj kw mw kwh mv kv ma mol ev cal bit gb mb kb tb px db deg rad
    min mins sec secs hr hrs yr yrs ms ns am pm bc ad ce mph kph kmh rpm bpm pct pts
    usd eur gbp inr jpy cny rmb chf cad aud rs kr st nd rd th
"""
SHORT_UNITS = frozenset(_SHORT_UNITS.split())
"""Units of a few letters, and endings of ordinals."""

FUNCTION_NAMES = frozenset({"sin", "cos", "tan", "cot", "sec", "csc", "log", "exp", "sqrt", "mod"})
"""Words that stand for a function or a constant, and never for a unit."""


def is_unit_word(word: str) -> bool:
    """Whether letters in a formula are a word or a unit: ``apples`` is one, ``xy`` is none."""
    if word.casefold() in SHORT_UNITS or not regex.match(rf"[{LETTER}]", word):
        return True
    return len(word) > 2 and regex.search("(?i)[aeiouyà-öø-ÿа-яα-ω]", word) is not None
