"""Spellings of one text made equal: Unicode, case, white space, punctuation, articles."""

from __future__ import annotations

import unicodedata

import regex

ARTICLES = frozenset({"a", "an", "the"})

_SAME = {
    **dict.fromkeys(map(ord, "‘’‚‛′ʼ"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    # zero-width characters, soft hyphens and byte order marks
    **dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0x00AD, 0xFEFF), None),
    **dict.fromkeys((0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    # full-width forms of ASCII
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
}
_ENDS = ".,;:!?…\"'`´«»‹›()[]{}<>*_~。、「」『』【】《》¿¡"
_WORD = regex.compile(r"(\S+)(\s*)")
_SIGNED_NUMBER = regex.compile(r"[<>]?\.?\d")
_FACTORIAL = regex.compile(r"\d!+$")
_LIST_MARK = regex.compile(
    r"(?m)^[ \t]{0,20}(?:[-+>•·▪◦‣](?=[ \t]+[^\s\d.])|\*(?=[ \t])|#{1,6}(?=[ \t]))[ \t]+"
)
_EMPHASIS = regex.compile(
    r"(?<![\w*_])(?:\*{1,3}|_{1,3})(?=[^\s*_])"
    r"|(?<=[^\s*_])(?!(?<=\d)\*\*[-+(]\d)(?:\*{1,3}|_{1,3})(?![\w*_])|`+"
)


def unify_unicode(text: str) -> str:
    """One spelling for what looks the same: NFC, plain quotes, dashes and spaces.

    Not NFKC, which makes ``5²`` into ``52``.
    """
    return unicodedata.normalize("NFC", text.translate(_SAME))


def collapse_space(text: str) -> str:
    """The text with single spaces between its words, and none around it."""
    return " ".join(text.split())


def fold_case(text: str) -> str:
    """The text without regard to case, in every script."""
    return unicodedata.normalize("NFC", text.casefold())


def strip_punctuation(text: str) -> str:
    """Each word without the punctuation and Markdown around it.

    What stands inside a word stays, and so does what changes a word's meaning: ``3.5``, ``.5``,
    ``-5``, ``C++``, ``C#``, ``50%`` and ``$5`` keep their signs.
    """
    return _WORD.sub(lambda match: _kept(_bare_word(match[1]), match[2]), text)


def _kept(word: str, space: str) -> str:
    return word + space if word else ""


def _bare_word(word: str) -> str:
    if word.isalnum() or word in ("<", ">"):
        return word  # a comparison: what marks a quote is dropped before
    bare = word.rstrip(_ENDS)
    factorial = _FACTORIAL.search(word.rstrip(_ENDS.replace("!", "")))
    if factorial:
        bare += factorial[0][1:]
    start = 0
    while start < len(bare) and bare[start] in _ENDS and not _SIGNED_NUMBER.match(bare, start):
        start += 1
    return bare[start:]


def drop_line_marks(text: str) -> str:
    """The text without the marks of Markdown's lists, headings and quotes.

    Before a number, a hyphen, a plus or ``>`` may be its sign, and stays.
    """
    return _LIST_MARK.sub("", text)


def drop_emphasis(text: str) -> str:
    """The text without Markdown's asterisks, underscores and backticks at the edges of words.

    ``10**3``, ``2 * 3`` and ``snake_case`` keep theirs.
    """
    return _EMPHASIS.sub("", text)


def drop_articles(text: str) -> str:
    """The text without English articles."""
    return _WORD.sub(lambda match: "" if match[1].casefold() in ARTICLES else match[0], text)


def quoted(text: str, length: int = 60) -> str:
    """A text for an explanation: quoted, in one line, cut where it is long."""
    line = collapse_space(text)
    return repr(line if len(line) <= length else line[: length - 1] + "…")


def quoted_any(texts: list[str]) -> str:
    """Several texts of which any will do, for an explanation."""
    shown = [quoted(text) for text in texts[:3]]
    if len(texts) > 3:
        shown.append(f"{len(texts) - 3} more")
    return " or ".join(shown)


LETTER = "A-Za-zÀ-ÖØ-öø-ɏͰ-ӿḀ-ỿ"
"""Letters that words are made of where spaces separate words, as a regex's character range: text
in Chinese or Japanese may stand right beside a number or the letter of an option."""
