"""Texts that are an option and nothing else: its letter, its text, or both."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from proctor_text.letters import letter_index, sole_letter
from proctor_text.normalization import drop_line_marks
from proctor_text.option_texts import matching_option

OPEN = -1
"""An answer, or a statement, that leaves several options open: none is stated."""
_ENUMERATED = regex.compile(
    r"[\s*_`\"'$({\[<>「（【#]{0,8}([A-Za-z])(?:[)\]}.:：、）】」*_$\"']{1,8}\s*|\s+)(\S.*)",
    regex.S,
)
_TRAILED = regex.compile(
    r"(\S[^\n]{0,2000}?)[^\S\n]*(?:[(\[][^\S\n]*(?:option[^\S\n]+)?([A-Za-z])[)\]]|[^\S\n]-[^\S\n]+([A-Z]))[.*_]{0,4}",
    regex.I,
)


def whole_choice(text: str, count: int, options: Sequence[str]) -> int | None:
    """A text that is a letter or an option, and nothing else."""
    for form in dict.fromkeys((text, drop_line_marks(text))):
        index = sole_letter(form)
        if index is not None and index < count:
            return index
        found = matching_option(form, options)
        found = lettered_option(form, options) if found is None else found
        if found is not None:
            return found
    return None


def lettered_option(text: str, options: Sequence[str]) -> int | None:
    """A letter and an option's text: "B) Paris", "Paris (B)"; open where they contradict."""
    if len(text) > 5000 or not options:
        return None
    trailed = _TRAILED.fullmatch(text.strip())
    if trailed:
        index = letter_index(trailed[2] or trailed[3])
        found = matching_option(trailed[1].strip("*_ "), options)
        if found is not None and index < len(options):
            return _agreed(index, found, options)
    match = _ENUMERATED.match(text)
    if match is None or letter_index(match[1]) >= len(options):
        return None
    index = letter_index(match[1])
    bare = regex.sub(r"^[-:]\s+", "", match[2])
    for rest in dict.fromkeys((match[2], bare, match[2].rstrip("*_)]} "), bare.rstrip("*_)]} "))):
        found = matching_option(rest, options)
        if found is not None:
            # "A dog" is no letter before another text
            is_marked = not text[match.end(1) : match.start(2)].isspace()
            return _agreed(index, found, options) if is_marked or found == index else None
    return None


def _agreed(lettered: int, repeated: int, options: Sequence[str]) -> int:
    """The option that a letter and a text name; open where they name two."""
    return lettered if options[lettered].strip() == options[repeated].strip() else OPEN
