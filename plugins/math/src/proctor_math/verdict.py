"""The verdict on one answer: math-verify's, but for what these rules refuse or leave open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from proctor import UngradedError
from proctor_math.equality import are_near, canonical, holds_for_numbers, is_statement
from proctor_math.notation import UNITS, Notation, notation_of, with_plain_powers, words_of
from proctor_math.reading import is_equal, read_formula
from proctor_math.statement import Statement, find_statement, find_words

_CORRECTION = re.compile(
    r"\b(?:wait|actually|correction|scratch that|mistake|my error|on second thought|instead"
    r"|should (?:be|have been)|let me re(?:check|consider|do))\b|\bno,",
    re.IGNORECASE,
)
_GUESS = re.compile(
    r"\b(?:maybe|perhaps|possibly|might be|could be|i guess|guessing|not sure|unsure)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"(?:\b(?:not|never|isn't|cannot be|can't be)|≠|\\neq?)[\s:$*]*$", re.IGNORECASE
)
_LIST_BEFORE = re.compile(r"\d[\s,]+(?:or\s+)?$")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an answer.

    Attributes:
        is_right: Whether it equals the target.
        read: What was read of it; None where it holds no answer.
        why: Why it is wrong although it looks right; empty where that is plain.
        key: One spelling of what was read, for telling which answers agree.
    """

    is_right: bool
    read: str | None
    why: str = ""
    key: str | None = None


def judge(target: str, answer: str) -> Verdict:
    """Compares an answer with a target.

    Raises:
        UngradedError: No rule says what is right.
    """
    words = words_of(target)
    if words is not None:
        return _judged_words(words, answer)
    wanted = notation_of(target)
    statement = find_statement(with_plain_powers(answer))
    if statement is None:
        return Verdict(False, None, "no answer found")
    given = notation_of(statement.text)
    verdict = _compared(wanted, given)
    return _in_its_place(verdict, statement, answer)


def _judged_words(words: str, answer: str) -> Verdict:
    statement = find_words(answer)
    given = words_of(statement.text) if statement else None
    if statement is None:
        return Verdict(False, None, "no answer found")
    verdict = Verdict(given == words, given or " ".join(statement.text.split()), key=given)
    return _in_its_place(verdict, statement, answer)


def _in_its_place(verdict: Verdict, statement: Statement, answer: str) -> Verdict:
    """The verdict, unless what stands around the statement takes it back.

    Raises:
        UngradedError: The answer names several, or corrects itself.
    """
    if _CORRECTION.search(statement.after):
        raise UngradedError(f"the answer goes on after {statement.text!r:.60}, and corrects it")
    if not verdict.is_right or statement.kind == "box":
        return verdict
    if _DENIAL.search(statement.before):
        return Verdict(False, verdict.read, "the answer denies it")
    if _GUESS.search(statement.before) or (
        statement.kind == "number" and _LIST_BEFORE.search(statement.before)
    ):
        raise UngradedError(f"the answer guesses, or names several numbers: {answer[-80:]!r}")
    return verdict


def _compared(wanted: Notation, given: Notation) -> Verdict:
    """The verdict on two formulas.

    Raises:
        UngradedError: One can't be read whole, or what they share is not enough.
    """
    if wanted.plain == given.plain and _same_notation(wanted, given):
        return Verdict(True, given.source, key=_key(wanted, read_formula(wanted)))
    target = read_formula(wanted)
    if target is None:
        raise UngradedError(f"the target {wanted.source!r:.60} can't be read whole")
    if words_of(given.source) is not None:
        return Verdict(False, given.source, key=words_of(given.source))
    answer = read_formula(given)
    if given.has_ellipsis or wanted.has_ellipsis:
        raise UngradedError("a part of a formula is left out, and may be anything")
    if answer is None:
        raise UngradedError(f"the answer {given.source!r:.60} can't be read whole")
    try:
        is_right = is_equal(target, answer)
    except (RecursionError, MemoryError, OverflowError) as error:
        raise UngradedError(f"math-verify gave no verdict: {type(error).__name__}") from None
    key, right_key = _key(given, answer), _key(wanted, target)
    if key == right_key:
        key = given.source  # what is wrong for its unit, its base or its name has another key
    if not is_right:
        return Verdict(False, given.source, key=key)
    why = _refusal(wanted, given, target, answer)
    if why:
        return Verdict(False, given.source, why, key)
    _check_open(wanted, given, target, answer)
    if not are_near(target, answer):
        return Verdict(False, given.source, "near, and not equal", key)
    return Verdict(True, given.source, key=right_key)


def _refusal(wanted: Notation, given: Notation, target: Any, answer: Any) -> str:
    """Why two formulas are unequal that math-verify holds for equal; empty where they are not."""
    import sympy

    if wanted.bases and given.bases and wanted.bases != given.bases:
        return "another base"
    units = {_unit_name(notation.unit) for notation in (wanted, given) if notation.unit}
    both_have_one = wanted.unit is not None and given.unit is not None
    if both_have_one and wanted.unit != given.unit and units <= set(UNITS.values()):
        return f"{given.unit} is not {wanted.unit}"
    if holds_for_numbers(answer) is False:
        return "an equation that is false"
    kinds = [isinstance(side, sympy.Interval) for side in (target, answer)]
    if kinds[0] != kinds[1] and (given.has_braces or wanted.has_braces):
        return "an interval is no set of two numbers"
    return ""


def _check_open(wanted: Notation, given: Notation, target: Any, answer: Any) -> None:
    """Refuses to say that two formulas are equal of which that depends on the question.

    Raises:
        UngradedError: It does.
    """
    import sympy

    if wanted.is_percent != given.is_percent and not _is_hundredth(target, answer):
        raise UngradedError("one of the two is a percentage")
    if wanted.bases != given.bases:
        raise UngradedError("one of the two names its base")
    if wanted.unit and given.unit and wanted.unit != given.unit:
        raise UngradedError(f"the units may differ: {wanted.unit!r:.30} and {given.unit!r:.30}")
    if wanted.has_colon != given.has_colon:
        raise UngradedError("one of the two is a ratio or a time of day")
    if not isinstance(target, sympy.core.relational.Relational) and not is_statement(answer):
        raise UngradedError("the answer is an equation, and the target is not")


def _is_hundredth(target: Any, answer: Any) -> bool:
    """Whether 50% stands beside 0.5, and not beside 50."""
    try:
        return bool(abs((target - answer).doit().evalf()) < 1e-9)
    except TypeError:
        return False


def _unit_name(unit: str) -> str:
    return unit.rstrip("23")


def _same_notation(wanted: Notation, given: Notation) -> bool:
    return (wanted.unit, wanted.bases, wanted.is_percent) == (
        given.unit,
        given.bases,
        given.is_percent,
    )


def _key(notation: Notation, reading: Any | None) -> str:
    if reading is None:
        return notation.plain
    return canonical(reading)
