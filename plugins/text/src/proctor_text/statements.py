"""Which option of a multiple choice question an answer states.

The readings, from the strongest to the weakest; each needs the ones before it to find nothing:

1. the last box;
2. the whole answer: a letter, or the text of one option;
3. the last statement: "the answer is ...", "option (C) is correct", "I choose ...", a last line
   that is a letter alone;
4. the only option that is named as one: "option B", "B) Paris" at the start of a line, "(B)".

What is denied ("not B"), supposed ("if the answer is A") or left open ("A or B") is no statement.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

from proctor_text.latex import boxed, plain_latex
from proctor_text.normalization import (
    LETTER,
    collapse_space,
    fold_case,
    strip_punctuation,
    unify_unicode,
)

_ANSWER_WORDS = (
    r"answers?(?!\s+(?:choices|options|with|the\s+question))|ans\.?|solution"
    r"|antwort|lösung|réponse|respuesta|risposta|resposta|antwoord|odpowiedź|svar|svaret|vastaus"
    r"|cevap|ответ|відповідь|απάντηση"
)
_CJK_ANSWER_WORDS = "答案|答え|正解|選択肢|选项|選|选|정답|답"
_OPTION_WORDS = (
    r"option|choice|letter|alternative|opción|opção|opzione|optie|opcja|buchstabe|lettre|letra"
)
_RIGHT = (
    r"correct|right|best|final|richtige?|korrekte?|correcte?|bonne|correcta|corretta|correta|juiste"
)
_CHOOSE = (
    r"(?:it(?:'s|\s+is|\s+must\s+be|\s+has\s+to\s+be)|(?:i|i'd|i'll|we|we'd|would|will|to|must|and|therefore|so|thus|,)\s+"
    r"(?:\w+ly\s+)?(?:choose|pick|select|chose|picked|selected|go\s+(?:with|for)|went\s+(?:with|for)))"
)
_GAP_WORD = (
    r"(?:\w+ly|is|are|was|be|been|would|should|must|will|can|could|may|might|has|to|have|seems?"
    r"|appears?|looks?|like|i|think|believe|say|guess|the|this|that|a|an|question|problem|above|below"
    r"|following|of|for|on|in|by|as|given|based|determined|it|its|my|our|your|so|then|thus|hence"
    r"|therefore|indeed|just|now|again|here|one|most|probable|more|also|still|number"
    r"|ist|lautet|wäre|die|der|das|sein|est|la|le|es|el|é|è|sondern|not|but|neither|nor|cannot|isn't|nicht"
    rf"|{_RIGHT}|{_OPTION_WORDS}|{_ANSWER_WORDS})"
)
_LONGEST_OPTION = 2000
"""Characters of an option's text that are looked for."""
_CJK_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]{1,6}"
_NEGATION = regex.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|without|except|isn't|wasn't|can't|won't|nicht|pas|no"
    r"|than|instead\s+of|wrong|incorrect|false|eliminat\w*|exclud\w*|rule[sd]?\s+out)\b|不|ない|아니)",
    regex.IGNORECASE,
)
_SUPPOSITION = regex.compile(
    r"\b(?:if|whether|unless|suppose|supposing|assume|assuming|wenn|falls|si|se)"
    r"(?:\s+that)?(?:\s+(?:the|my|your|die|la|le|a|o))?(?:\s+\w+)?\s*$",
    regex.IGNORECASE,
)
_DENIAL = regex.compile(
    r"\s+(?:is|are|was)(?:n't)?\s+(?:\w+ly\s+)?(?:not|wrong|incorrect|false)\b|\s+isn't\b",
    regex.IGNORECASE,
)
"""What denies the letter that it follows."""
_STATED = regex.compile(
    rf"[^\w\n]{{0,20}}\n?(?:(?:is|was|ist|est|es|è|é)\b)?[^\w\n]{{0,20}}([^\n]{{0,{_LONGEST_OPTION}}})"
)
"""What a cue announces, where it is no letter: the rest of its line."""
_WRAP_OPEN = r"[*_`\"'$({\[<「（【]"
_WRAP_CLOSE = r"[*_`\"'$)}\]>」）】]"
_GAP = 90
"""Most characters between a cue and the letter that it announces."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A letter that stands alone, as options are named."""

    index: int
    start: int
    end: int
    is_marked: bool
    """Whether brackets, bold or the like set it apart."""
    is_sure: bool
    """Whether it can be nothing but a letter: no article, no pronoun, no lower case."""


def stated_choice(text: str, count: int, options: Sequence[str] = ()) -> int | None:
    """The index of the option that an answer states; None where it states none.

    Args:
        text: The answer.
        count: How many options there are: A to the letter of the last.
        options: Their texts, where they are known.
    """
    box = boxed(text)
    if box is not None:
        found = _whole(plain_latex(unify_unicode(box)), count, options)
        if found is not None:
            return found
    text = plain_latex(unify_unicode(text)).strip()
    found = _whole(text, count, options)
    if found is not None:
        return found
    tokens = list(_tokens(text, count))
    for start, end in reversed(_cues(text)):
        is_statement, found = _announced(text, start, end, tokens, options)
        if is_statement:
            return found
    return _only_named(text, tokens)


def _whole(text: str, count: int, options: Sequence[str]) -> int | None:
    """A text that is a letter or an option, and nothing else."""
    match = regex.fullmatch(rf"[\s{_WRAP_OPEN[1:-1]}]*([A-Za-z])[\s{_WRAP_CLOSE[1:-1]}.:)]*", text)
    if match:
        index = ord(match[1].upper()) - ord("A")
        return index if index < count else None
    # markup and a letter make an option longer, but not twice as long
    if len(text) > 20 + 2 * max(map(len, options), default=0):
        return None
    lettered = regex.fullmatch(r"\W*([A-Za-z])\W+(\w.*)", text)
    if lettered:
        index = ord(lettered[1].upper()) - ord("A")
        if index < len(options) and _plain_option(lettered[2]) == _plain_option(options[index]):
            return index
    plain = _plain_option(text)
    same = [i for i, option in enumerate(options) if plain and _plain_option(option) == plain]
    return same[0] if len(same) == 1 else None


def _plain_option(text: str) -> str:
    folded = fold_case(unify_unicode(text))
    return collapse_space(strip_punctuation(folded) or folded)


@cache
def _token_pattern() -> Any:
    return regex.compile(
        rf"(?<![{LETTER}\d_'\-/+.\\])(?P<open>{_WRAP_OPEN}{{0,8}})(?P<letter>[A-Za-z])"
        rf"(?P<close>{_WRAP_CLOSE}{{0,8}})(?![{LETTER}\d_])(?!['\-+#/&][{LETTER}\d+])(?![+#])"
    )


def _tokens(text: str, count: int) -> Iterator[_Token]:
    for match in _token_pattern().finditer(text):
        letter = match["letter"]
        index = ord(letter.upper()) - ord("A")
        if index >= count:
            continue
        after = text[match.end() : match.end() + _GAP]
        is_marked = bool(match["open"] and match["close"]) or match["close"].startswith(")")
        if letter.isupper() and letter not in "AI":
            is_sure = True
        elif letter == "I":
            is_sure = not regex.match(r"'|,?[^\S\n]+\p{Ll}", after)
        elif letter == "A":
            is_sure = not regex.match(
                r"[^\S\n]+(?!(?:because|since|as|for|and|or|but|is|with|which)\b)\p{L}", after
            )
        else:
            # "a" ends no sentence; other lower-case letters are no words in English
            is_sure = regex.match(r"[^\S\n]*(?:[.,;:!)\n]|$)", after) is not None
        yield _Token(index, match.start(), match.end(), is_marked, is_marked or is_sure)


@cache
def _cue_pattern() -> Any:
    edge, end = rf"(?<![{LETTER}\d_])", rf"(?![{LETTER}\d_])"
    return regex.compile(
        rf"{edge}(?:{_ANSWER_WORDS}|{_CHOOSE}|(?:{_RIGHT})\s+(?:{_OPTION_WORDS})){end}"
        rf"|{edge}(?:{_OPTION_WORDS})(?=\s*(?:is|was|ist|est|es|è|é|:|=)(?![{LETTER}\d_]))"
        rf"|{_CJK_ANSWER_WORDS}",
        regex.IGNORECASE,
    )


@cache
def _verdict_pattern() -> Any:
    """What follows a letter that is called right: "B is correct"."""
    return regex.compile(
        rf"[^\S\n]+(?:is|would\s+be|must\s+be|seems|ist|est|es)\s+(?:\w+ly\s+)?(?:the\s+|die\s+|la\s+)?"
        rf"(?:most\s+\w+\s+)?(?:{_RIGHT}|answer|antwort|richtig)(?![{LETTER}])",
        regex.IGNORECASE,
    )


def _cues(text: str) -> list[tuple[int, int]]:
    """Where statements begin: the spans of the words that announce them, in order."""
    spans = [match.span() for match in _cue_pattern().finditer(text)]
    spans += [
        (match.start(), match.start())
        for match in _token_pattern().finditer(text)
        if _verdict_pattern().match(text, match.end())
    ]
    # a first or last line that is a letter alone; what "A", "B", "C" between them are is not known
    last_line = text.rfind("\n") + 1
    for start, line in ((0, text.split("\n", 1)[0]), (last_line, text[last_line:])):
        if _whole(line, 26, ()) is not None:
            spans.append((start, start))
    return sorted(spans)


def _announced(
    text: str, start: int, end: int, tokens: Sequence[_Token], options: Sequence[str]
) -> tuple[bool, int | None]:
    """Whether a cue makes a statement, and of which option: None for one that is left open."""
    if _SUPPOSITION.search(text, max(0, start - 40), start):
        return False, None
    before = end
    first = bisect_left(tokens, end, key=lambda token: token.start)
    for position, token in enumerate(tokens[first : first + 8], first):
        gap = text[end : token.start]
        if token.start - end > _GAP or not _is_gap(gap, token.is_marked):
            break
        if _NEGATION.search(text, before, token.start) or _DENIAL.match(text, token.end):
            before = token.end
            continue
        if not token.is_sure:
            continue
        if regex.match(r"\s*\?", text[token.end : token.end + 5]):
            break
        return True, None if _is_left_open(text, tokens, position) else token.index
    stated = _STATED.match(text, end)
    found = _whole(stated[1], 0, options) if stated and end > start else None
    return found is not None, found


def _is_gap(gap: str, is_marked: bool) -> bool:
    """Whether what stands between a cue and a letter still announces it."""
    bare = regex.sub(r"[\s*_`\"'$(){}\[\]<>:：=,\-]+", " ", gap)
    if regex.search(r"[.!?。]\s", gap.strip(" *") + " ") and not regex.search(r"\.\.\.|…", gap):
        return False
    if is_marked and "\n" not in gap.strip():
        return True
    words = rf"(?:\s*(?:{_GAP_WORD}|[A-Z]|{_CJK_WORD})(?![{LETTER}]))*"
    return regex.fullmatch(rf"{words}\s*[.…]*\s*{words}\s*", bare, regex.IGNORECASE) is not None


def _is_left_open(text: str, tokens: Sequence[_Token], position: int) -> bool:
    """Whether the letter is the first of several that are stated at once."""
    if position + 1 == len(tokens):
        return False
    token, following = tokens[position : position + 2]
    between = text[token.end : following.start]
    if following.index == token.index or not following.is_sure:
        return False
    return (
        regex.fullmatch(
            r"\s*(?:,?\s*(?:and/or|and|or|und|oder|et|ou|y|o|e)\s+|/|&)\s*(?:option\s+)?", between
        )
        is not None
    )


def _only_named(text: str, tokens: Sequence[_Token]) -> int | None:
    """The only option that is named by its letter, where no sentence states one."""
    listed, marked = set(), set()
    for token in tokens:
        lead = regex.split(r"[.;]\s", text[max(0, token.start - 30) : token.start])[-1]
        if _NEGATION.search(lead) or _SUPPOSITION.search(lead) or _DENIAL.match(text, token.end):
            continue
        after = text[token.end : token.end + 30]
        begins_line = not token.start or regex.search(r"(?:^|\n)[\s>#-]*$", lead)
        is_option = regex.search(rf"\b(?:{_OPTION_WORDS})\s+$", lead, regex.IGNORECASE)
        closes = text[token.start : token.end].endswith(")")
        if begins_line and (closes or regex.match(r"[.):]\s|\s+-\s|,\s|\s*$|\s*\n", after)):
            listed.add(token.index)
        elif token.is_marked or (is_option and token.is_sure):
            marked.add(token.index)
    # several that begin lines are the options, repeated from the question
    for named in (listed, marked):
        if len(named) == 1:
            return named.pop()
    return None
