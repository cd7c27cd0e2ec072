"""Where an answer says what its answer is."""

from __future__ import annotations

import re
from dataclasses import dataclass

FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}
    | {"log", "ln", "exp", "sqrt", "pi", "max", "min", "gcd", "lcm", "det", "mod"}
    | {"inf", "infty", "infinity"}
)
"""Words that belong to a formula."""

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_JOINT = re.compile(r"[\s$,;.]*(?:\\?,|and|or|\\text\{\s*(?:and|or)\s*\})?[\s$,;]*", re.IGNORECASE)
_ENVIRONMENT = re.compile(
    r"(?<!\\)\$\$(?P<a>.+?)(?<!\\)\$\$"
    r"|\\\[(?P<b>.+?)\\\]"
    r"|\\\((?P<c>.+?)\\\)"
    r"|(?<![\\\d])\$(?P<d>(?:\\\$|[^$\n])+?)(?<!\\)\$",
    re.DOTALL,
)
_PHRASE = re.compile(
    r"(?:answer|result|solution)\b[^.\n:=]{0,40}?(?:\bis\b|\bare\b|:|=)(?:\s*\bis\b)?[\s:*]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*[-+*/^×÷:]\s*\(?-?\d[\d,]*(?:\.\d+)?\)?)*"
    r"(?:\s*\\?%)?"
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n|;\s")
_WORD = re.compile(r"[^\W\d_]{2,}")
_COMMAND = re.compile(r"\\[A-Za-z]+|\\.")
_TEXT = re.compile(
    r"\\(?:text|mathrm|mbox|textbf|textrm|operatorname|mathbf|begin|end)\s*\{[^{}]*\}"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What an answer says its answer is, and what stands around it.

    Attributes:
        text: The formula or the words.
        kind: How it was found: in a box, after a phrase such as "the answer is", as the whole
            answer, or as the last formula or number.
        before: What stands before it in its sentence.
        after: All that follows it.
    """

    text: str
    kind: str
    before: str = ""
    after: str = ""


def find_statement(answer: str) -> Statement | None:
    """The answer's statement: its last box, else its whole text, a phrase, the last formula."""
    text = answer.strip()
    return _boxed(text) or _whole(text) or _phrase(text) or _last_formula(text)


def find_words(answer: str) -> Statement | None:
    """The statement of an answer that consists of words: a box, a phrase, or the whole text."""
    text = answer.strip()
    found = _boxed(text)
    if found is not None or not text:
        return found
    phrases = list(_PHRASE.finditer(text))
    if phrases:
        end = _SENTENCE_END.search(text, phrases[-1].end())
        stop = end.start() if end else len(text)
        return Statement(text[phrases[-1].end() : stop], "phrase", after=text[stop:])
    return Statement(text, "whole")


def is_formula(text: str) -> bool:
    """Whether a text is one formula from end to end, by its letters: no sentence has none."""
    if "\n" in text or len(text) > 400 or not re.search(r"[\w\\∞∅]", text):
        return False
    plain = _COMMAND.sub(" ", _TEXT.sub(" ", text))
    words = {word.casefold() for word in _WORD.findall(plain)}
    if not (words - FUNCTIONS - {"and", "or"}):
        return True
    # a product of variables, as in 2xy; a word of three letters or more is a word
    return not any(len(word) > 2 for word in words - FUNCTIONS) and bool(re.search(r"\d", plain))


def sentence_before(text: str, position: int) -> str:
    """What stands before a position in its sentence."""
    return re.split(r"[.!?]\s|\n", text[:position])[-1]


def _boxed(text: str) -> Statement | None:
    """The last box, with those right before it that belong to the same list."""
    found: list[tuple[int, int, str]] = []
    position = 0
    while (start := _BOX.search(text, position)) is not None:
        end = _closing(text, start.end())
        if end is None:
            break
        found.append((start.start(), end + 1, text[start.end() : end].strip()))
        position = end + 1
    if not found:
        return None
    parts = [found[-1][2]]
    for earlier, later in zip(found[-2::-1], found[:0:-1], strict=True):
        between = text[earlier[1] : later[0]]
        if not _JOINT.fullmatch(between) or "\n\n" in between:
            break
        if earlier[2] not in parts:
            parts.insert(0, earlier[2])
    before = sentence_before(text, found[-1][0])
    return Statement(",".join(parts), "box", before, text[found[-1][1] :])


def _closing(text: str, position: int) -> int | None:
    depth = 1
    for index in range(position, len(text)):
        if text[index] in "{}" and text[index - 1] != "\\":
            depth += 1 if text[index] == "{" else -1
            if depth == 0:
                return index
    return None


def _whole(text: str) -> Statement | None:
    bare = text.strip("*_ ").rstrip(".").strip()
    environments = _environments(bare)
    if len(environments) == 1 and environments[0][:2] == (0, len(bare)):
        return Statement(environments[0][2], "whole")
    if not environments and "$" not in re.sub(r"^\\?\$(?=\d)|\\\$", "", bare) and bare:
        measured = re.fullmatch(r"(.*\d)\s+\\?[A-Za-z°/]+(?:\s[A-Za-z]+)?(?:\^?[23])?", bare)
        if is_formula(bare) or (measured and is_formula(measured[1])):
            return Statement(bare, "whole")
    return None


def _phrase(text: str) -> Statement | None:
    for phrase in reversed(list(_PHRASE.finditer(text))):
        start = phrase.end()
        end = _SENTENCE_END.search(text, start)
        stop = end.start() if end else len(text)
        rest = text[start:stop]
        found = _whole(rest) if rest.strip() else None
        if found is None:
            environments = _environments(rest)
            if environments:
                found = Statement(environments[0][2], "phrase")
                stop = start + environments[0][1]
            elif number := _NUMBER.search(rest):
                found = Statement(_with_unit(rest, number), "phrase", rest[: number.start()])
                stop = start + number.end()
        if found is not None:
            before = sentence_before(text, phrase.end()) + found.before
            return Statement(found.text, "phrase", before, text[stop:])
    return None


def _last_formula(text: str) -> Statement | None:
    environments = _environments(text)
    numbers = [m for m in _NUMBER.finditer(text) if not _is_inside(m.start(), environments)]
    last_number = numbers[-1] if numbers else None
    if environments and (last_number is None or environments[-1][1] > last_number.end()):
        start, end, content = environments[-1]
        return Statement(content, "formula", sentence_before(text, start), text[end:])
    if last_number is None:
        return None
    before = sentence_before(text, last_number.start())
    number = _with_unit(text, last_number)
    return Statement(number, "number", before, text[last_number.end() :])


def _with_unit(text: str, number: re.Match[str]) -> str:
    """A number with the word behind it, which may be its unit."""
    word = re.match(r"\s+[A-Za-z]+(?:\^?[23])?(?=[\s.,;!?]|$)", text[number.end() :])
    return number[0] + (word[0] if word else "")


def _environments(text: str) -> list[tuple[int, int, str]]:
    """The formulas of a text, lists of them joined: start, end, content."""
    joined: list[tuple[int, int, str]] = []
    for match in _ENVIRONMENT.finditer(text):
        content = next(part for part in match.groups() if part is not None).strip()
        if joined and _is_list(text[joined[-1][1] : match.start()]):
            start, _, earlier = joined.pop()
            joined.append((start, match.end(), f"{earlier},{content}"))
        else:
            joined.append((match.start(), match.end(), content))
    return joined


def _is_list(between: str) -> bool:
    return re.fullmatch(r"\s*(?:,|,?\s*and|,?\s*or)\s*", between) is not None


def _is_inside(position: int, environments: list[tuple[int, int, str]]) -> bool:
    return any(start <= position < end for start, end, _ in environments)
