"""Which option of a multiple choice question an answer states.

The readings, from the strongest to the weakest; each needs the ones before it to find nothing:

1. the last box;
2. the whole answer: a letter, or the text of one option;
3. the last statement: "the answer is ...", "option (C) is correct", "I choose ...", a last line
   that is a letter alone or labels one ("Jawaban: C"), a first or last line that is an option;
4. the only option that is named as one: "option B", "B) Paris" at the start of a line, "(B)".

What is denied ("not B"), supposed ("if the answer is A"), called wrong ("the wrong answer is A") or
left open ("A or B") is no statement. Where two options are stated alike, none is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import regex

from proctor_text.latex import final_box, plain_latex
from proctor_text.letters import GAP, Token, sole_letter, tokens
from proctor_text.normalization import unify_unicode
from proctor_text.option_texts import matching_option
from proctor_text.sole_options import OPEN, lettered_option, whole_choice
from proctor_text.statement_cues import (
    CALLED_WRONG,
    DENIAL,
    NAMED_OPTION,
    NEGATION,
    SUPPOSITION,
    Cue,
    cues,
    is_gap,
    labelled_lines,
    without_wrong_lines,
)

MOST_CHARACTERS = 50_000
"""Characters of an answer in which a statement is looked for: its last ones."""

_MOST_CUES = 500
"""Statements that are looked at, from the end."""

_LABELS_WITHIN = 2_000
"""Characters at the end of an answer in which lines such as "Jawaban: C" are compared."""

_TAG = regex.compile(r"</?(?:final[_ ]?)?(?:answer|ans|choice|option|result|response)>", regex.I)
_BOLD_TAG = regex.compile(r"<(b|strong|i|em|u|code)>\s?([A-Za-z])\s?</\1>", regex.I)
_IS = r"(?:(?:is|are|was|ist|est|es|è|é)\b)?"
_ANNOUNCED = regex.compile(
    rf"[^\S\n]*[:：=]?[*_]{{0,4}}[^\S\n]*\n?[^\S\n]*{_IS}[^\S\n]*[:：]?[^\S\n]*([^\n]{{0,2000}})"
)
"""What a cue announces, where it is no letter: the rest of its line."""
_ALSO = regex.compile(
    r"[^\S\n]*(?:,?\s*\(?(?:and/or|and|or|und|oder|et|ou|y|o|e)\s+|/|&)[^\S\n]*"
    r"(?:(?:maybe|perhaps|possibly|even|also)\s+)?(?:option\s+)?",
    regex.I,
)
_ENDS = regex.compile(
    r"[^\S\n]*(?:[.,;!\n]|$|(?:and|or)[^\S\n]+[(*]{0,3}[A-Z][)*]{0,3}(?:[.,;!\n]|$))"
)
_LISTED = regex.compile(r"[^\S\n]*[,;]?[^\S\n]*(?:option\s+)?", regex.I)


def stated_choice(text: str, count: int, options: Sequence[str] = ()) -> int | None:
    """The index of the option that an answer states; None where it states none.

    Args:
        text: The answer.
        count: How many options there are: A to the letter of the last.
        options: Their texts, where they are known.
    """
    text = text[-MOST_CHARACTERS:].strip()
    found = _boxed_choice(text, count, options)
    if found is None:
        found = whole_choice(text, count, options)
    if found is None:
        plain = _plain(text)
        found = whole_choice(plain, count, options) if plain != text else None
        if found is None:
            found = _said(plain, count, options)
    return None if found in (None, OPEN) else found


def _plain(text: str) -> str:
    """The text in one spelling, with brackets of formulas and tags as plain marks."""
    text = _BOLD_TAG.sub(r"**\2**", _TAG.sub(_as_statement, text))
    text = regex.sub(r"\\[()\[\]]", "$", text)
    return plain_latex(unify_unicode(text), keeps_formulas=True).strip()


def _as_statement(match: regex.Match[str]) -> str:
    return "\n" if match[0].startswith("</") else "\nAnswer: "


def _boxed_choice(text: str, count: int, options: Sequence[str]) -> int | None:
    box = final_box(text)
    if box is None:
        return None
    found = whole_choice(box, count, options)
    if found is None:
        plain = _plain(box)
        found = whole_choice(plain, count, options)
        if found is None and len({t.index for t in tokens(plain, count) if t.is_sure}) > 1:
            return OPEN
    return found


def _said(text: str, count: int, options: Sequence[str]) -> int | None:
    """The last statement, or the only option that is named."""
    letters = list(tokens(text, count))
    for cue in reversed(cues(text)[-_MOST_CUES:]):
        is_statement, found = _announced(text, cue, letters, options)
        if is_statement:
            if cue.is_verdict and found is not None and _is_contested(text, found, letters):
                return OPEN
            if cue.start > text.rfind("\n"):
                return OPEN if found is None else found
            return _held_against(found, _last_label(text, count, options))
    for found in (_last_label(text, count, options), _line_of_option(text, options)):
        if found is not None:
            return found
    return _only_named(text, letters)


def _held_against(stated: int | None, labelled: int | None) -> int | None:
    """A statement beside a last line that labels another option: neither is stated."""
    if stated is None:
        return OPEN
    return stated if labelled in (None, stated) else OPEN


def _is_contested(text: str, found: int, letters: Sequence[Token]) -> bool:
    """Whether a verdict such as "C is correct" stands beside that on another option."""
    verdicts = [cue.start for cue in cues(text) if cue.is_verdict]
    called = {token.index for token in letters if token.start in verdicts}
    return bool(called - {found}) and not regex.search(
        r"(?i)\b(?:wait|actually|correction|no|instead)\b", text
    )


def _last_label(text: str, count: int, options: Sequence[str]) -> int | None:
    """What a last line of a few words, a colon and an option states, in any language."""
    text = without_wrong_lines(text[-_LABELS_WITHIN:])
    read = [
        (label, found)
        for label, rest in labelled_lines(text)
        if (found := whole_choice(rest, count, options)) is not None
    ]
    last = labelled_lines(text[text.rfind("\n") + 1 :])
    found = whole_choice(last[0][1], count, options) if last else None
    if found is None:
        return None
    # "Right: B", "Wrong: A" in a language that is not known
    others = {other for label, other in read if label != last[0][0]}
    return OPEN if others - {found} else found


def _line_of_option(text: str, options: Sequence[str]) -> int | None:
    """The option whose text is the first or the last line, and no other option's is a line."""
    if not options or "\n" not in text:
        return None
    lines = [line for line in text.split("\n") if line.strip()]
    ends = [matching_option(line, options) for line in (lines[0], lines[-1])]
    stated = {options[index].strip(): index for index in ends if index is not None}
    inner = {
        options[index].strip()
        for line in lines[1:-1][:500]
        if (index := matching_option(line, options)) is not None
    }
    if len(stated) != 1 or inner - set(stated):
        return None
    return next(iter(stated.values()))


def _announced(
    text: str, cue: Cue, letters: Sequence[Token], options: Sequence[str]
) -> tuple[bool, int | None]:
    """Whether a cue makes a statement, and of which option: None for one that is left open."""
    lead = text[max(0, cue.start - 40) : cue.start]
    if SUPPOSITION.search(lead) or CALLED_WRONG.search(lead):
        return False, None
    if cue.end > cue.start:
        stated = _announced_text(text, cue, options)
        if stated is not None:
            return True, None if stated == OPEN else stated
    before = cue.end
    first = bisect_left(letters, cue.end, key=lambda token: token.start)
    for position, token in enumerate(letters[first : first + 8], first):
        gap = text[cue.end : token.start]
        if token.start - cue.end > GAP or not is_gap(gap, token.is_marked):
            break
        if NEGATION.search(text, before, token.start) or DENIAL.match(text, token.end):
            before = token.end
            continue
        if not token.is_sure:
            continue
        if regex.match(r"\s*\?", text[token.end : token.end + 5]):
            break
        return True, None if _is_left_open(text, letters, position) else token.index
    return False, None


def _announced_text(text: str, cue: Cue, options: Sequence[str]) -> int | None:
    """The option whose text a cue announces, with the sign that stands before it."""
    match = _ANNOUNCED.match(text, cue.end)
    if match is None or not options:
        return None
    # a dash before a number may be its sign
    rests = [match[1], regex.sub(r"^(?:-|>)\s+(?![\d.$\\])", "", match[1]), match[1].rstrip("*_` ")]
    for rest in dict.fromkeys(rests):
        index = sole_letter(rest)
        if index is not None and index < len(options):
            return None
        found = matching_option(rest, options)
        found = lettered_option(rest, options) if found is None else found
        if found is not None:
            return found
    return None


def _is_left_open(text: str, letters: Sequence[Token], position: int) -> bool:
    """Whether the letter is the first of several that are stated at once."""
    if position + 1 == len(letters):
        return False
    token, following = letters[position : position + 2]
    between = text[token.end : following.start]
    if following.index == token.index or not following.is_sure:
        return False
    if _ALSO.fullmatch(between):
        return True
    ends = _ENDS.match(text[following.end : following.end + 20])
    return _LISTED.fullmatch(between) is not None and ends is not None


def _only_named(text: str, letters: Sequence[Token]) -> int | None:
    """The only option that is named by its letter, where no sentence states one."""
    listed, marked = set(), set()
    for position, token in enumerate(letters):
        lead = regex.split(r"[.;]\s", text[max(0, token.start - 30) : token.start])[-1]
        if NEGATION.search(lead) or SUPPOSITION.search(lead) or DENIAL.match(text, token.end):
            continue
        after = text[token.end : token.end + 30]
        begins_line = not token.start or regex.search(r"(?:^|\n)[\s>#-]*$", lead)
        closes = text[token.start : token.end].endswith(")")
        if begins_line and (closes or regex.match(r"[.):]\s|\s+-\s|,\s|\s*$|\s*\n", after)):
            if _is_left_open(text, letters, position):
                return OPEN
            listed.add(token.index)
        elif token.is_marked or (NAMED_OPTION.search(lead) and token.is_sure):
            marked.add(token.index)
    # several that begin lines are the options, repeated from the question
    for named in (listed, marked):
        if len(named) == 1:
            return named.pop()
    return None
