"""Letters that name options: where they stand in a text, and what is no such letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from proctor_text.normalization import LETTER

GAP = 90
"""Most characters between a cue and the letter that it announces."""

_OPEN = r"*_`\"'$({\[<«‹「（【"
_CLOSE = r"*_`\"'$)}\]>»›」）】"
TOKEN = regex.compile(
    rf"(?<![{LETTER}\d_'\-/+.\\])(?P<open>[{_OPEN}]{{0,8}})(?P<letter>[A-Za-z])"
    rf"(?P<close>[{_CLOSE}]{{0,8}})(?![{LETTER}\d_])(?!['\-+#/&][{LETTER}\d+])(?![+#])"
)
_ALONE = regex.compile(rf"[\s{_OPEN}→⇒➔➡=>-]*([A-Za-z])[\s{_CLOSE}.:)]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A letter that stands alone, as options are named."""

    index: int
    start: int
    end: int
    is_marked: bool
    """Whether brackets, bold or the like set it apart."""
    is_sure: bool
    """Whether it can be nothing but a letter: no article, no pronoun, no lower case."""


def letter_index(letter: str) -> int:
    """0 for A and a, 1 for B and b."""
    return ord(letter.upper()) - ord("A")


def sole_letter(text: str) -> int | None:
    """The index of the letter that a text is, but for marks around it."""
    match = _ALONE.fullmatch(text)
    return letter_index(match[1]) if match else None


def tokens(text: str, count: int) -> Iterator[Token]:
    """The letters of the first ``count`` options that stand alone in a text, in order."""
    for match in TOKEN.finditer(text):
        letter = match["letter"]
        index = letter_index(letter)
        if index >= count:
            continue
        after = text[match.end() : match.end() + GAP]
        is_marked = bool(match["open"] and match["close"]) or match["close"].startswith(")")
        if letter.isupper() and letter not in "AI":
            is_sure = True
        elif letter == "I":
            is_sure = not regex.match(r"'|,?[^\S\n]+\p{Ll}", after)
        elif letter == "A":
            is_sure = not regex.match(
                r"[^\S\n]+(?!(?:because|since|as|for|and|or|but|is|with|which)\b)\p{L}[\p{L}'’]",
                after,
            )
        else:
            # "a" ends no sentence; other lower-case letters are no words in English
            is_sure = regex.match(r"[^\S\n]*(?:[.,;:!)\n]|$)", after) is not None
        yield Token(index, match.start(), match.end(), is_marked, is_marked or is_sure)
