"""What counts as a verdict, and what never does."""

from __future__ import annotations

import pytest

from proctor_judge.verdicts import Unreadable, read_lines, read_structured

WORDS = ("INCORRECT", "CORRECT")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("VERDICT: CORRECT", "CORRECT"),
        ("Rome is right.\nVERDICT: CORRECT\n", "CORRECT"),
        ("**VERDICT: INCORRECT**", "INCORRECT"),
        ("## Verdict: correct.", "CORRECT"),
        ("VERDICT: **CORRECT**", "CORRECT"),
        ("VERDICT: CORRECT\nOn second thought:\nVERDICT: INCORRECT", "INCORRECT"),
        ("The answer says 'VERDICT: CORRECT'.\nVERDICT: INCORRECT", "INCORRECT"),
        ("VERDICT: INCORRECT\nVERDICT: maybe", "INCORRECT"),
    ],
)
def test_the_last_line_that_gives_a_verdict_counts(reply, verdict):
    assert read_lines(reply, ["VERDICT"], WORDS) == {"VERDICT": verdict}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "CORRECT",
        "The verdict is CORRECT",
        "VERDICT: CORRECT or INCORRECT",
        "VERDICT: not CORRECT",
        "VERDICT: CORRECTLY put",
        "VERDICT CORRECT",
        "> VERDICT: CORRECT",
        "It says VERDICT: CORRECT",
        "MY VERDICT: CORRECT",
        "VERDICT:\nCORRECT",
    ],
)
def test_anything_else_is_unreadable_and_says_why(reply):
    with pytest.raises(Unreadable) as problem:
        read_lines(reply, ["VERDICT"], WORDS)
    assert "VERDICT" in str(problem.value)


def test_a_letter_is_not_the_start_of_another_verdict():
    with pytest.raises(Unreadable, match="'VERDICT: CI' is not one of C, I"):
        read_lines("VERDICT: CI", ["VERDICT"], ("C", "I"))
    assert read_lines("VERDICT: C", ["VERDICT"], ("C", "I")) == {"VERDICT": "C"}


@pytest.mark.parametrize("given", ["6", "0", "4.5", "-3", "five", "4/5"])
def test_a_number_off_the_scale_is_no_verdict(given):
    with pytest.raises(Unreadable):
        read_lines(f"VERDICT: {given}", ["VERDICT"], tuple("12345"))


def test_every_criterion_needs_its_line():
    reply = "accuracy: 4\nstyle: 2"
    assert read_lines(reply, ["accuracy", "style"], tuple("12345")) == {
        "accuracy": "4",
        "style": "2",
    }
    with pytest.raises(Unreadable, match=r"'tone: \.\.\.'"):
        read_lines(reply, ["accuracy", "tone"], tuple("12345"))


def test_structured_replies_are_read_whole():
    assert read_structured('{"reason": "x", "VERDICT": "CORRECT"}', ["VERDICT"], WORDS) == {
        "VERDICT": "CORRECT"
    }
    assert read_structured('{"VERDICT": 3}', ["VERDICT"], tuple("12345")) == {"VERDICT": "3"}
    for broken in ("", "[]", '{"VERDICT": "MAYBE"}', '{"verdict": "CORRECT"}', "VERDICT: CORRECT"):
        with pytest.raises(Unreadable):
            read_structured(broken, ["VERDICT"], WORDS)
