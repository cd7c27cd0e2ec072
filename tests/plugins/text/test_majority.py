"""maj@k by the grader's own equality: answers that are right agree."""

import pytest

from proctor.scoring.pass_at_k import maj_at_k
from proctor_text.choice import Choice
from proctor_text.exact import Exact
from proctor_text.number import Number
from proctor_text.pattern import Regex

CASES = [
    (Number(), "50", None, ["50%", "50%", "50", "30", "30"]),
    (Number(), "0.5", None, ["50%", "1/2", "0.50", "30%", "30%"]),
    (Number(abs_tol=0.01), "3.14", None, ["3.14", "3.141", "3.142", "30", "30"]),
    (Number(rel_tol=0.1), "100", None, ["95", "100", "105", "50", "50"]),
    (Number(), "2 million", None, ["2", "2 million", "2,000,000", "3", "3"]),
    (Number(), ["4", "four", "5"], None, ["4", "5", "5.0", "6", "6"]),
    (Exact(), ["NYC", "New York"], None, ["NYC", "new york", "**NYC**", "LA", "LA"]),
    (Regex(pattern="is (.+)"), ["NYC", "New York"], None, ["is NYC", "is New York", "is x"]),
    (Choice(), 0, ["same", "same", "x"], ["A", "B", "same", "C", "C"]),
    (Choice(), ["A", "B"], None, ["A", "(B)", "Answer: b", "C", "C"]),
    (Choice(), 1, ["0", "-1"], ["B", "-1", "The answer is -1", "A", "A"]),
]


@pytest.mark.parametrize(("grader", "target", "choices", "answers"), CASES)
def test_right_answers_agree_and_win(grade, read, grader, target, choices, answers):
    keys = [read(grader, answer, target, choices) for answer in answers]
    values = [grade(grader, answer, target, choices).value for answer in answers]
    right = {key for key, value in zip(keys, values, strict=True) if value == 1.0}
    wrong = {key for key, value in zip(keys, values, strict=True) if value == 0.0}
    assert len(right) == 1
    assert not right & wrong
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    assert maj_at_k([numbers[key] for key in keys], values, len(keys)) == 1.0


def test_wrong_numbers_agree_by_their_exact_value(read):
    grader = Number(abs_tol=0.01)
    assert read(grader, "1/3", "5") == read(grader, "2/6", "5")
    assert read(grader, "3.141", "5") != read(grader, "3.142", "5")
    assert read(grader, "3, 4", "5") is None
