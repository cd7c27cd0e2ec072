"""Which option of a question a text repeats: to the letter first, then in other spellings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import regex

from proctor_text.latex import plain_latex
from proctor_text.normalization import (
    collapse_space,
    drop_emphasis,
    fold_case,
    strip_punctuation,
    unify_unicode,
)

_PAIRS = [
    *(("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("\\boxed{", "}")),
    *(("\\text{", "}"), ("\\mathrm{", "}"), ("\\textbf{", "}"), ("\\mathbf{", "}")),
    *(("***", "***"), ("**", "**"), ("*", "*"), ("__", "__"), ("_", "_"), ("`", "`")),
    *(('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»"), ("「", "」"), ("『", "』")),
]
_OPENERS = {left[0] for left, _ in _PAIRS}
_FORMULA = regex.compile(r"[\d\\^=+|≤≥×÷√]|(?<!\p{L})\p{L}[!()\[\]]")
_MATH = regex.compile(r"\$([^$\n]{1,2000})\$")
_SENTENCE_ENDS = ".,;:?…\"'`´«»‹›*_~。、"


def matching_option(text: str, options: Sequence[str]) -> int | None:
    """The index of the option that a text repeats, and nothing else; None without one.

    The options are compared to the letter first, then without LaTeX's and Markdown's wrappers, then
    in one spelling, at last without case and punctuation. The first comparison that any option
    passes decides; where options that are not the same pass it, none is meant.
    """
    text = text.strip()
    # markup makes an option longer, but not twice as long
    if not text or len(text) > 40 + 2 * max(map(len, options), default=0):
        return None
    known = [_spellings(option) for option in options]
    forms = list(dict.fromkeys((text, text.rstrip(".。").rstrip())))
    for number, spell in enumerate(_SPELLINGS):
        spelled = [spellings[number] for spellings in known]
        for form in map(spell, forms):
            same = [index for index, option in enumerate(spelled) if option == form and form]
            if same:
                alike = {options[index].strip() for index in same}
                return same[0] if len(alike) == 1 else None
    return None


def _to_the_letter(text: str) -> str:
    return text.strip()


def _unwrapped(text: str) -> str:
    """The text without the marks that stand around all of it."""
    text = text.strip()
    changed = True
    while changed and text and text[0] in _OPENERS:
        changed = False
        for left, right in _PAIRS:
            inner = text[len(left) : -len(right)].strip()
            is_around = text.startswith(left) and text.endswith(right) and inner
            if is_around and len(text) > len(left) + len(right) and right not in inner:
                text, changed = inner, True
    return text


def _in_one_spelling(text: str) -> str:
    text = plain_latex(_unwrapped(unify_unicode(text)), keeps_formulas=True)
    text = regex.sub(r"\\[dt]frac(?![A-Za-z])", r"\\frac", _MATH.sub(r"\1", text))
    text = collapse_space(drop_emphasis(text))
    # spaces say nothing in a formula, but between digits and behind what may be the mark of a list
    return (
        regex.sub(r"(?<!\d|^[-+]) | (?!\d|(?<=^[-+] ))", "", text)
        if _FORMULA.search(text)
        else text
    )


def _loosely(text: str) -> str:
    """The text without case, and without the punctuation that carries no meaning there."""
    text = fold_case(_in_one_spelling(text))
    if not _FORMULA.search(text):
        return collapse_space(strip_punctuation(text) or text)
    # "5!" is not "5", and "(0,1]" not "[0,1]"
    words = (word.rstrip(_SENTENCE_ENDS).lstrip("\"'`´«»‹›*_。、¿¡") for word in text.split())
    return " ".join(word for word in words if word)


@lru_cache(maxsize=1024)
def _spellings(option: str) -> list[str]:
    """An option in each spelling: it is compared with many parts of an answer."""
    return [spell(option) for spell in _SPELLINGS]


_SPELLINGS: list[Callable[[str], str]] = [_to_the_letter, _unwrapped, _in_one_spelling, _loosely]
