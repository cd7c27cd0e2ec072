"""What counts as a verdict, and what never does."""

from __future__ import annotations

import pytest

from proctor import Outcome
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


DRAFT = "VERDICT: CORRECT"


@pytest.mark.parametrize(
    "reply",
    [
        "<think>\n{}\n</think>\nVERDICT: INCORRECT",
        "<thinking>\n{}\n</thinking>\nVERDICT: INCORRECT",
        "<Thought>\n{}\n</Thought>\nVERDICT: INCORRECT",
        "<reasoning>\n{}\n</reasoning>VERDICT: INCORRECT",
        '<think effort="low">\n{}\n</think >\nVERDICT: INCORRECT',
        "<seed:think>\n{}\n</seed:think>\nVERDICT: INCORRECT",
        "[THINK]\n{}\n[/THINK]\nVERDICT: INCORRECT",
        "<|begin_of_thought|>\n{}\n<|end_of_thought|>\nVERDICT: INCORRECT",
        "\u25c1think\u25b7\n{}\n\u25c1/think\u25b7\nVERDICT: INCORRECT",
        "<|channel|>analysis<|message|>\n{}\n<|end|><|start|>assistant"
        "<|channel|>final<|message|>VERDICT: INCORRECT",
        # Thinking that the prompt began
        "The draft.\n{}\n</think>\nVERDICT: INCORRECT",
        # Several blocks, after the verdict too
        "<think>\n{0}\n</think>\nHm.\n<think>\n{0}\n</think>\nVERDICT: INCORRECT",
        "VERDICT: INCORRECT\n<think>\n{}\n</think>\nThat is all.",
        "<think>\n{}\n</think>\nVERDICT: INCORRECT\n<think>\n{0}\n</think>",
        '<think>"Rome" is right.\n{}\n</think>\nVERDICT: INCORRECT',
        "`<think>\n{}\n</think>`\nVERDICT: INCORRECT",
        "<think>a<think>b</think>\n{}\n</think>\nVERDICT: INCORRECT",
    ],
)
def test_a_verdict_in_the_thinking_is_none(reply):
    reply = reply.replace("{}", DRAFT).replace("{0}", DRAFT)
    assert read_lines(reply, ["VERDICT"], WORDS) == {"VERDICT": "INCORRECT"}
    alone = reply.replace("VERDICT: INCORRECT", "")
    with pytest.raises(Unreadable):
        read_lines(alone, ["VERDICT"], WORDS)


@pytest.mark.parametrize(
    "reply",
    [
        "<think>\nVERDICT: CORRECT\n",
        "<think>It may be wrong.\nVERDICT: CORRECT",
        "Let me see. <think>\nVERDICT: CORRECT\nBut wait",
        "<thinking>\nVERDICT: CORRECT\n",
        "[THINK]\nVERDICT: CORRECT\n",
        "<|channel|>analysis<|message|>\nVERDICT: CORRECT\n",
        "<think>a</think>\n<think>\nVERDICT: CORRECT\n",
        "VERDICT: CORRECT\n<think>But no,",
    ],
)
def test_thinking_that_never_ends_leaves_no_verdict(reply):
    with pytest.raises(Unreadable, match="its thinking never ends"):
        read_lines(reply, ["VERDICT"], WORDS)


@pytest.mark.parametrize(
    "reply",
    [
        "Final VERDICT: CORRECT",
        "**Final verdict:** CORRECT",
        "My final verdict: CORRECT.",
        "### The Final VERDICT: CORRECT",
        "VERDICT\uff1aCORRECT",
        "VERDICT\uff1a **CORRECT**\u3002",
        "Final VERDICT\uff1aCORRECT",
        "The answer has an open `<think>` in it.\nVERDICT: CORRECT",
    ],
)
def test_a_final_verdict_and_a_full_width_colon_are_readable(reply):
    assert read_lines(reply, ["VERDICT"], WORDS) == {"VERDICT": "CORRECT"}


def test_a_criterion_may_be_called_final():
    names = ["final style", "style"]
    reply = "final style: 1\nstyle: 2"
    assert read_lines(reply, names, tuple("12345")) == {"final style": "1", "style": "2"}


def test_thinking_before_a_structured_reply():
    reply = '<think>{"VERDICT": "CORRECT"}</think>{"VERDICT": "INCORRECT"}'
    assert read_structured(reply, ["VERDICT"], WORDS) == {"VERDICT": "INCORRECT"}
    mention = '{"reason": "it says <think>", "VERDICT": "CORRECT"}'
    assert read_structured(mention, ["VERDICT"], WORDS) == {"VERDICT": "CORRECT"}
    with pytest.raises(Unreadable, match="never ends"):
        read_structured('<think>{"VERDICT": "CORRECT"}', ["VERDICT"], WORDS)


def test_a_draft_is_no_grade(judged):
    grading, chat = judged("<think>It may be.\nVERDICT: CORRECT\nBut")
    assert grading.outcome is Outcome.UNGRADED
    assert "its thinking never ends" in grading.reason
    # told what was wrong, it was asked once more
    assert len(chat.prompts) == 2
    grading, _ = judged("<think>\nVERDICT: CORRECT\n</think>\nVERDICT: INCORRECT")
    assert grading.grade.value == 0.0
