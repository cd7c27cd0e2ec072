"""The little LaTeX that answers are written in: boxes, fractions, text."""

from __future__ import annotations

import regex

UNREADABLE = "\\unreadable"
"""Stands for an expression that is no plain number, such as a root."""

_BOX = regex.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_SPACE = regex.compile(r"\\(?:quad|qquad|left|right|displaystyle)(?![A-Za-z])|\\[,;:! ]")
_TEXT = regex.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|underline|math(?:bf|rm|it|sf|tt)|mbox|operatorname|emph|bm)\s*"
    r"\{([^{}]*)\}"
)
_ROOT = regex.compile(r"\\sqrt\s*(?:\[[^\[\]]*\])?\s*(?:\{[^{}]*\}|\w)")
_FRACTION = regex.compile(
    r"\\[dtc]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))",
)
_JOINED = regex.compile(
    r"\\(?:boxed|fbox)\s?\{([^\\{}\n]{0,100})\}[\s$]{0,4}(?:,|;|&|/)?[\s$]{0,4}(?:and|or|und|oder|et|ou)?[\s$]{0,4}$"
)
_DENIED = regex.compile(r"(?i)\b(?:not|instead of|rather than)[\s$*]{0,4}$")
_PLAIN_NUMBER = regex.compile(r"\s*([+-]?)\s*([\d.,]*\d)\s*")


def final_box(text: str) -> str | None:
    r"""What the last ``\boxed{}`` holds, and those that are named in one breath with it.

    ``\boxed{3} or \boxed{4}`` states two answers: "3, 4". A box behind "not" is none.
    """
    found = list(_BOX.finditer(text))
    if not found:
        return None
    stated = [
        box for box in found if not _DENIED.search(text, max(0, box.start() - 20), box.start())
    ]
    if not stated:
        return ""
    last = stated[-1]
    content = _box_content(text[last.end() :])
    before = _JOINED.search(text[max(0, last.start() - 400) : last.start()])
    return f"{before[1]}, {content}" if before and before[1] != content else content


def _box_content(rest: str) -> str:
    r"""What a box holds, by the text behind its command.

    A box that is not closed holds the rest of its line, and ``\boxed 4`` holds the next word.
    """
    if not rest.startswith("{"):
        return rest.split(maxsplit=1)[0].rstrip("$.,;") if rest.strip() else ""
    depth = 0
    for position, character in enumerate(rest):
        if character == "{" and rest[position - 1] != "\\":
            depth += 1
        elif character == "}" and rest[position - 1] != "\\":
            depth -= 1
            if depth == 0:
                return rest[1:position].strip()
    return rest[1:].split("\n", 1)[0].strip(" $.")


def plain_latex(text: str, *, keeps_formulas: bool = False) -> str:
    r"""The text with fractions as ``a/b``, text as text, and without spacing commands.

    A fraction or a root that is no plain number becomes ``UNREADABLE``, unless formulas are kept,
    as where texts are compared and not computed with.
    """
    if "\\" not in text:
        return text
    text = text.replace("\\$", "$").replace("\\%", "%").replace("\\#", "#")
    text = regex.sub(r"\^\s*\{?\s*\\(?:circ|degree)(?![A-Za-z])\s*\}?", "°", text)
    text = _SPACE.sub(" ", text)
    text = regex.sub(r"\\(?:times|cdot)(?![A-Za-z])", "×", text)
    text = _TEXT.sub(r" \1 ", text)
    if not keeps_formulas:
        text = _ROOT.sub(lambda _: UNREADABLE, text)
    return _FRACTION.sub(
        lambda match: _fraction(text, match, match[0] if keeps_formulas else UNREADABLE), text
    )


def _fraction(text: str, match: regex.Match[str], otherwise: str) -> str:
    over = _PLAIN_NUMBER.fullmatch(match[1] or match[2] or "")
    under = _PLAIN_NUMBER.fullmatch(match[3] or match[4] or "")
    if not over or not under:
        return otherwise
    sign = "-" if (over[1] == "-") != (under[1] == "-") else ""
    # a whole number in front makes it a mixed one; a digit behind it is none of its own
    before, after = (
        text[max(0, match.start() - 9) : match.start()].rstrip()[-1:],
        text[match.end() : match.end() + 1],
    )
    space = " " if before.isdigit() or before == "." else ""
    return f"{space}{sign}{over[2]}/{under[2]}{' ' if after.isdigit() else ''}"
