"""The page on mathematical answers, held against the grader."""

import re
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "math.md").read_text("utf-8")
RULES = [
    tuple(cell.strip() for cell in line.split("|")[1:4])
    for line in PAGE.split("## The rules")[1].split("## Deadlines")[0].splitlines()
    if line.startswith("| `")
]


def test_each_rule_in_the_table_is_kept(grade_all):
    made = grade_all([(target.strip("`"), answer.strip("`")) for target, answer, _ in RULES])
    found = ["ungraded" if grading.value is None else str(int(grading.value)) for grading in made]
    differing = [
        (rule, got, grading.reason)
        for rule, got, grading in zip(RULES, found, made, strict=True)
        if rule[2] != got
    ]
    assert differing == []
    assert len(RULES) > 20


def test_every_option_is_on_the_page():
    from proctor_math.grader import Math

    assert [name for name in Math.model_fields if not re.search(rf"`{name}`", PAGE)] == []
