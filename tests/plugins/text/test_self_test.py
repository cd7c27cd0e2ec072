"""Answers whose grade is known without a model: what each grader must make of them."""

import pytest

from proctor_text.choice import Choice
from proctor_text.exact import Exact
from proctor_text.f1 import F1
from proctor_text.number import Number
from proctor_text.pattern import Regex
from proctor_text.substring import Substring

CITIES = ("Rome", "Paris", "Berlin", "Madrid")
QUESTION = "What is the capital of France?"
MENU = QUESTION + "\n\nA) Rome\nB) Paris\nC) Berlin\nD) Madrid\n\nAnswer with the letter."
REFUSALS = ("", " ", "I'm sorry, but I can't help with that.", "I don't know.", "N/A")

CASES = {
    "substring": (Substring(), "Paris", None, "Paris", "Rome", QUESTION),
    "exact": (Exact(), "Paris", None, "Paris", "Rome", QUESTION),
    "regex": (
        Regex(pattern=r"is (\w+)\.?$"),
        "Paris",
        None,
        "It is Paris.",
        "It is Rome",
        QUESTION,
    ),
    "number": (Number(), "42", None, "42", "41", "What is 6 * 7?"),
    "choice": (Choice(), 1, CITIES, "B", "C", MENU),
    "f1": (F1(), "Paris", None, "Paris", "Rome", QUESTION),
}


@pytest.fixture(params=sorted(CASES))
def case(request):
    return CASES[request.param]


def test_gold_is_best(grade, case):
    grader, target, choices, gold, _, _ = case
    assert grade(grader, gold, target, choices).value == grader.best
    assert grade(grader, f"\n{gold}  \n", target, choices).value == grader.best


def test_gold_of_another_row_is_worst(grade, case):
    grader, target, choices, _, other, _ = case
    assert grade(grader, other, target, choices).value == grader.worst


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_worst(grade, case, text):
    grader, target, choices, _, _, _ = case
    assert grade(grader, text, target, choices).value == grader.worst


def test_an_echo_of_the_prompt_is_not_best(grade, case):
    grader, target, choices, _, _, prompt = case
    assert grade(grader, prompt, target, choices).value != grader.best


@pytest.mark.parametrize("denial", ["not {}", "It is not {}.", "The answer is not {}."])
@pytest.mark.parametrize("name", ["exact", "choice", "f1"])
def test_a_denial_is_not_best(grade, name, denial):
    grader, target, choices, gold, _, _ = CASES[name]
    assert grade(grader, denial.format(gold), target, choices).value != grader.best


@pytest.mark.parametrize("name", ["substring", "number"])
def test_a_denial_fools_those_that_look_for_a_part_and_their_help_says_so(grade, name):
    grader, target, choices, gold, _, _ = CASES[name]
    assert grade(grader, f"not {gold}", target, choices).value == grader.best
    assert "not " in type(grader).__doc__


def test_yes_or_no_is_declared_by_all_but_f1(case):
    grader = case[0]
    assert grader.is_proportion == (not isinstance(grader, F1))
