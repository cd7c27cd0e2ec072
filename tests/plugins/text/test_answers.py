"""Answers that were misread once, and their neighbours, with the right grade and the reason."""

import json
from collections import Counter
from pathlib import Path

import pytest

from proctor_text.choice import Choice
from proctor_text.exact import Exact
from proctor_text.number import Number
from proctor_text.pattern import Regex
from proctor_text.substring import Substring

DATA = Path(__file__).parent / "data"
GRADERS = {
    "choice": Choice,
    "exact": Exact,
    "number": Number,
    "regex": Regex,
    "substring": Substring,
}


def answers_in(name):
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


ANSWERS = answers_in("answers.jsonl")
NEIGHBOURS = answers_in("neighbours.jsonl")


@pytest.mark.parametrize("row", [*ANSWERS, *NEIGHBOURS], ids=lambda row: row["answer"])
def test_has_its_grade(grade, row):
    grader = GRADERS[row["grader"]](**row["options"])
    value = grade(grader, row["answer"], row["target"], row["choices"]).value
    assert value == row["right"], row["why"]


def test_every_reason_has_neighbours():
    assert len(ANSWERS) == 60
    counts = Counter(row["why"] for row in NEIGHBOURS)
    assert {row["why"] for row in ANSWERS} == set(counts)
    assert min(counts.values()) >= 3
    known = {row["answer"] for row in ANSWERS}
    assert sum(row["answer"] not in known for row in NEIGHBOURS) > 150
