import pytest
from pydantic import ValidationError

from proctor import DatasetError
from proctor_text.pattern import Regex


@pytest.mark.parametrize(
    ("pattern", "answer", "expected"),
    [
        (r"Answer: (\w+)", "Answer: Rome. No: Answer: Paris", "paris"),
        (r"Answer: (\w+)", "answer: Paris", "paris"),
        (r"\d+", "1 then 22 then x", "22"),
        (r"\d*", "first 1 then 22 then x", "22"),
        (r"Answer: (\w+)|nothing", "Answer: Paris. nothing", "paris"),
        (r"\[(.*?)\]|Answer: (\w+)", "[Rome] Answer: Paris", "paris"),
        (r"Answer: (\w+)", "I don't know", None),
        (r"Answer:(.*)", "Answer:  ", None),
        (r"(?s)<a>(.*)</a>", "<a>two\nlines</a>", "two lines"),
        (r"\d+", "", None),
    ],
)
def test_reads_the_last_match(read, pattern, answer, expected):
    assert read(Regex(pattern=pattern), answer) == expected


def test_the_last_match_is_compared(is_right):
    grader = Regex(pattern=r"Answer: (\w+)")
    assert is_right(grader, "Answer: Rome, no. Answer: Paris!", "Paris")
    assert not is_right(grader, "Answer: Paris, no. Answer: Rome!", "Paris")
    assert not is_right(grader, "Paris", "Paris")
    assert is_right(grader, "Answer: Rome", ["Paris", "Rome"])


def test_a_group_is_chosen_by_number_or_name(read):
    text = "k=v"
    assert read(Regex(pattern=r"(\w)=(\w)"), text) == "k"
    assert read(Regex(pattern=r"(\w)=(\w)", group=2), text) == "v"
    assert read(Regex(pattern=r"(\w)=(?P<value>\w)", group="value"), text) == "v"
    assert read(Regex(pattern=r"(\w)=(\w)", group=0), text) == "k=v"


def test_full_match_takes_the_whole_answer(is_right):
    grader = Regex(pattern=r"answer is (\w+)", full_match=True)
    assert is_right(grader, " Answer is B\n", "b")
    assert not is_right(grader, "The answer is B", "b")
    assert not is_right(grader, "Answer is B, I think", "b")


def test_case_counts_where_it_should(is_right):
    grader = Regex(pattern=r"X=(\w+)", ignore_case=False)
    assert is_right(grader, "X=a", "a")
    assert not is_right(grader, "x=a", "a")
    assert not is_right(grader, "X=A", "a")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "(a"}, "missing"),
        ({"pattern": "a", "group": 1}, "no group 1"),
        ({"pattern": "(?P<x>a)", "group": "y"}, "no group 'y'"),
        ({"pattern": "a", "timeout": 0}, "greater than 0"),
    ],
)
def test_a_wrong_pattern_is_refused_at_once(options, message):
    with pytest.raises(ValidationError, match=message):
        Regex(**options)


def test_a_pattern_that_explodes_raises_and_is_no_wrong_answer(grade):
    grader = Regex(pattern=r"(a|aa)+$", timeout=0.05)
    with pytest.raises(ValueError, match=r"took more than 0\.05 s"):
        grade(grader, "a" * 80 + "b", "a")


def test_empty_target_is_refused(check):
    with pytest.raises(DatasetError):
        check(Regex(pattern="a"), [""])
    check(Regex(pattern="a"), ["", "a"])


def test_explanation_says_what_was_read(grade):
    grader = Regex(pattern=r"\d+")
    assert grade(grader, "a 3", "4").explanation == "read '3', want '4'"
    assert grade(grader, "a 4", "4").explanation == "read '4'"
    assert grade(grader, "a", "4").explanation == "the pattern matches nothing, want '4'"
