"""The table of pairs: each verdict is right, or it is none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import proctor
from proctor_math.grader import Math

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "pairs.jsonl").read_text("utf-8").splitlines()
]
DECIDED = ("equal", "unequal", "undecidable")


@pytest.fixture(scope="module")
def gradings(grade_all):
    """What becomes of each pair; those that hang have two seconds."""
    decided = [row for row in ROWS if row["kind"] in DECIDED]
    others = [row for row in ROWS if row["kind"] not in DECIDED]
    made = grade_all([(row["gold"], row["answer"]) for row in decided])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Math, "grading_timeout", 2.0)
        made += grade_all([(row["gold"], row["answer"]) for row in others])
    return list(zip(decided + others, made, strict=True))


def test_the_table_is_large_and_has_every_kind():
    assert len(ROWS) >= 120
    counts = Counter(row["kind"] for row in ROWS)
    assert set(counts) == {"equal", "unequal", "undecidable", "hanging", "hostile"}
    assert min(counts["equal"], counts["unequal"]) >= 50
    assert len({(row["gold"], row["answer"]) for row in ROWS}) == len(ROWS)


def wrong(gradings, kinds, allowed):
    return [
        (row["gold"], row["answer"][:60], row["why"], grading.value, grading.reason)
        for row, grading in gradings
        if row["kind"] in kinds and grading.value not in allowed(row)
    ]


def test_equal_and_unequal_pairs_are_graded_right_and_none_is_left_open(gradings):
    assert wrong(gradings, ("equal", "unequal"), lambda row: (row["right"],)) == []


def test_pairs_that_no_rule_decides_are_left_open(gradings):
    assert wrong(gradings, ("undecidable",), lambda row: (None,)) == []


def test_pairs_that_hang_are_ungraded_and_never_wrong(gradings):
    assert wrong(gradings, ("hanging",), lambda row: (None,)) == []
    reasons = {grading.reason for row, grading in gradings if row["kind"] == "hanging"}
    assert "the grader gave no verdict within 2 s" in reasons


def test_no_hostile_answer_is_right(gradings):
    assert wrong(gradings, ("hostile",), lambda row: (0.0, None)) == []


def test_right_answers_to_one_target_share_a_key_with_it(gradings):
    keys = {}
    for row, grading in gradings:
        if row["kind"] == "equal":
            keys.setdefault(row["gold"], set()).add(grading.answer)
    assert {gold: found for gold, found in keys.items() if len(found) > 1} == {}
    wrong_ones = [
        (row["gold"], row["answer"])
        for row, grading in gradings
        if row["kind"] == "unequal" and grading.answer in keys.get(row["gold"], ())
    ]
    assert wrong_ones == []


def test_every_explanation_says_what_was_read(gradings):
    for _, grading in gradings:
        if grading.grade is not None:
            explanation = grading.grade.explanation
            assert explanation.startswith(("read ", "no answer found"))
            assert "want " in explanation
            assert "\n" not in explanation


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] != "hostile"], ids=str)
def test_every_target_of_the_table_passes_the_look_at_a_row(row):
    Math().check_example(proctor.Example(id="e", input="?", target=row["gold"]))
