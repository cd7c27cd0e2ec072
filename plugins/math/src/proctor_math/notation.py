"""What a formula says beside its value: a unit, a percent sign, a base, an ellipsis."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

UNITS = {
    name: names[0]
    for names in (
        ("km", "kilometer", "kilometers", "kilometre", "kilometres"),
        ("m", "meter", "meters", "metre", "metres"),
        ("cm", "centimeter", "centimeters", "centimetre", "centimetres"),
        ("mm", "millimeter", "millimeters", "millimetre", "millimetres"),
        ("in", "inch", "inches"),
        ("ft", "foot", "feet"),
        ("mi", "mile", "miles"),
        ("yd", "yard", "yards"),
        ("kg", "kilogram", "kilograms"),
        ("g", "gram", "grams"),
        ("mg", "milligram", "milligrams"),
        ("lb", "lbs", "pound", "pounds"),
        ("l", "L", "liter", "liters", "litre", "litres"),
        ("ml", "mL", "milliliter", "milliliters"),
        ("s", "sec", "second", "seconds"),
        ("min", "minute", "minutes"),
        ("h", "hr", "hrs", "hour", "hours"),
        ("day", "days"),
        ("week", "weeks"),
        ("month", "months"),
        ("year", "years"),
        ("km/h", "kmh", "kmph"),
        ("m/s", "meters per second"),
        ("mph", "miles per hour"),
        ("degree", "degrees", "deg"),
        ("radian", "radians", "rad"),
        ("dollar", "dollars", "USD"),
        ("cent", "cents"),
        ("euro", "euros", "EUR"),
        ("unit", "units"),
        ("square unit", "square units"),
    )
    for name in names
}
"""Units by every name; two of them are never the same amount."""

_SYMBOLS = {"$": "dollar", "€": "euro", "£": "pound sterling"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SPELLINGS = (
    (re.compile(r"^\s*(?:\\approx|≈|=)\s*"), ""),
    (re.compile(r"^\\\{\s*[a-zA-Z]\s*(?:\\in\s*\\mathbb\{R\}\s*)?(?:\||\\mid|:)(.+)\\\}$"), r"\1"),
    (re.compile(r"\\(?:left|right|big|Big|bigg|Bigg)(?=[^A-Za-z])"), ""),
    (re.compile(r"\\[!,;:]|\\quad|\\qquad|~"), " "),
    (re.compile(r"(?<=\d)\{,\}(?=\d{3})"), ","),
    (re.compile(r"(?<!\d)(\d{1,3})((?:\s\d{3})+)(?!\d)"), r"\1\2"),
    (re.compile(r"\\(?:mathrm|text|operatorname)\s*\{\s*(e|i|d)\s*\}"), r"\1"),
    (re.compile(r"\\(?:d|t|c)frac"), r"\\frac"),
    (re.compile(r"(?<![\\A-Za-z])sqrt\b"), r"\\sqrt"),
    (re.compile(r"√\s*\(([^()]*)\)"), r"\\sqrt{\1}"),
    (re.compile(r"√\s*(\w+)"), r"\\sqrt{\1}"),
    (re.compile(r"\\sqrt\s*\(([^()]*)\)"), r"\\sqrt{\1}"),
    (re.compile(r"(?<![\\A-Za-z])(pi|infty|sin|cos|tan|ln|log)(?![A-Za-z])"), r"\\\1 "),
    (re.compile(r"π"), r"\\pi "),
    (re.compile(r"∞|(?<![\\A-Za-z])(?:infinity|inf)(?![A-Za-z])"), r"\\infty "),
    (re.compile(r"[×✕]"), r"\\times "),
    (re.compile(r"[·⋅]"), r"\\cdot "),
    (re.compile(r"÷"), r"\\div "),
    (re.compile(r"≤|<="), r"\\le "),
    (re.compile(r"≥|>="), r"\\ge "),
    (re.compile(r"≠|!="), r"\\ne "),
    (re.compile(r"∪"), r"\\cup "),
    (re.compile(r"\\varnothing|∅"), r"\\emptyset "),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"(?<=[\d.])[eE]([+-]?\d+)(?!\w)"), r"\\times 10^{\1}"),
    (re.compile(r"\^\s*\(([^()]*)\)"), r"^{\1}"),
    (re.compile(r"\^\s*(-?\d{2,})"), r"^{\1}"),
)
_TEXT_UNIT = re.compile(
    r"\s*\\(?:text|mathrm|mbox|textrm|operatorname|rm)\s*\{[~\s]*([^{}]*?)[~\s.]*\}"
    r"(?:\s*\^\s*\{?([23])\}?)?\s*$"
)
_PLAIN_UNIT = re.compile(r"(?<=[\d})])\s+([A-Za-z/]+(?:\s[a-z]+){0,2})(?:\s*\^?\s*\{?([23])\}?)?$")
_DEGREES = re.compile(r"\s*(?:\^\s*\{?\s*\\circ\s*\}?|°|\\degree)\s*(?:[CF]\b)?$")
_CURRENCY = re.compile(r"^\s*(-?)\s*\\?([$€£])\s*(?=[\d.])")
_BASE = re.compile(r"(?<=[0-9A-F])_\{?\s*(?:\\text\{\s*)?(\d+|two|three|ten|eight)")
_ELLIPSIS = re.compile(r"\.\.\.|…|\\(?:ldots|dots|cdots|dotsc|dotsb)")
_REPEATING = re.compile(r"(\d*)\.(\d*)\\overline\{(\d+)\}")
_SCATTERED = re.compile(r"(?<![\w.^_{])\d+\s+\d+(?!\s*/|\d*\s*\\frac)")


@dataclass(frozen=True, slots=True)
class Notation:
    """A formula as math-verify reads it, and what it would drop.

    Attributes:
        source: The formula as it was written.
        latex: Its value alone, spelt as math-verify reads it.
        unit: The unit's one name, with its power; None without one.
        is_percent: Whether it ends in a percent sign or word.
        bases: The bases that its numerals name.
        has_ellipsis: Whether a part of it is left out.
        has_colon: Whether it is a ratio or a time of day.
        has_braces: Whether it is written as a set.
        has_scattered_numbers: Whether numbers stand side by side with nothing between them.
    """

    source: str
    latex: str
    unit: str | None = None
    is_percent: bool = False
    bases: tuple[str, ...] = ()
    has_ellipsis: bool = False
    has_colon: bool = False
    has_braces: bool = False
    has_scattered_numbers: bool = False

    @property
    def plain(self) -> str:
        """The formula without spaces, for comparing what can't be read by its spelling."""
        return re.sub(r"\s+", "", _ELLIPSIS.sub("...", self.latex)).strip(".,;")


def notation_of(formula: str) -> Notation:
    """Takes a formula apart."""
    text = with_plain_powers(unicodedata.normalize("NFC", formula)).strip().strip("$").strip()
    text = re.sub(r"^\\[\[(]\s*|\s*\\[\])]$", "", text)
    text = re.sub(r"^\\(?:displaystyle|textstyle)\s*", "", text)
    text = text.rstrip(" .,;") if not text.endswith("...") else text
    text, unit = _without_unit(text)
    text, is_percent = _without_percent(text)
    bases = tuple(_BASE.findall(text))
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    text = re.sub(r"(?<!\d)\d{1,3}(?:\s\d{3})+(?!\d)", lambda m: "".join(m[0].split()), text)
    text = _REPEATING.sub(_repeating, text).strip()
    return Notation(
        source=" ".join(formula.split()),
        latex=text + (r"\%" if is_percent else ""),
        unit=unit,
        is_percent=is_percent,
        bases=bases,
        has_ellipsis=_ELLIPSIS.search(text) is not None,
        has_colon=re.search(r"\d\s*:\s*\d", text) is not None,
        has_braces=r"\{" in text,
        has_scattered_numbers=_SCATTERED.search(text) is not None,
    )


def with_plain_powers(text: str) -> str:
    """A text with ``x^{2}`` for ``x²``."""
    return re.sub("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"^{{{m[0].translate(_SUPERSCRIPTS)}}}", text)


def words_of(text: str) -> str | None:
    """The words that a text consists of, in one spelling; None where it holds a formula."""
    plain = re.sub(r"\\(?:text|mathrm|mbox|textbf|textrm|textit)\s*\{([^{}]*)\}", r" \1 ", text)
    plain = re.sub(r"[$*_`\"'.,!]|\\[ ,;]", " ", plain)
    words = " ".join(plain.split()).casefold()
    letters = re.fullmatch(r"[^\W\d_]+(?:[\s-][^\W\d_]+)*", words)
    return words if letters and len(words) > 2 else None


def _without_unit(text: str) -> tuple[str, str | None]:
    currency = _CURRENCY.match(text)
    if currency:
        return currency[1] + text[currency.end() :], _SYMBOLS[currency[2]]
    degrees = _DEGREES.search(text)
    if degrees and degrees.start():
        return text[: degrees.start()], "degree"
    for pattern in (_TEXT_UNIT, _PLAIN_UNIT):
        found = pattern.search(text)
        if found is None or not found.start() or not re.search(r"[\d}]", text[: found.start()]):
            continue
        name = " ".join(found[1].replace("\\", " ").split())
        if re.match(r"(?:and|or|percent)\b", name) or not name:
            continue
        if pattern is _PLAIN_UNIT and len(name) < 3 and name not in UNITS:
            continue  # a variable
        power = found[2] or ""
        square = re.match(r"(?:sq\.?|square)\s+(.+)", name)
        if square and name not in UNITS:
            name, power = square[1], "2"
        known = UNITS.get(name) or UNITS.get(name.casefold()) or name.casefold()
        return text[: found.start()], known + power
    return text, None


def _without_percent(text: str) -> tuple[str, bool]:
    found = re.search(r"\s*(?:\\?%|\\text\{\s*(?:percent|%)\s*\}|percent|per cent)\s*$", text)
    return (text[: found.start()], True) if found else (text, False)


def _repeating(match: re.Match[str]) -> str:
    whole, fixed, period = match.groups()
    top = int(whole + fixed + period) - int((whole + fixed) or "0")
    bottom = (10 ** len(period) - 1) * 10 ** len(fixed)
    return rf"\frac{{{top}}}{{{bottom}}}"
