import pytest

from proctor import DatasetError
from proctor_text.substring import Substring


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("The capital is Paris.", "Paris"),
        ("the capital is PARIS", "Paris"),
        ("New\n  York it is", "New York"),
        ("L’été", "l'été"),
        ("cafe\u0301", "café"),
        ("STRASSE", "Straße"),
        ("１２３", "123"),
        ("non\u00a0breaking\u200b space", "non breaking space"),
        ("rock—paper", "rock-paper"),
        ("我认为答案是巴黎吧", "巴黎"),
    ],
)
def test_finds_the_target(is_right, answer, target):
    assert is_right(Substring(), answer, target)


@pytest.mark.parametrize(
    ("answer", "target"), [("", "Paris"), ("I can't say.", "Paris"), ("Pari s", "Paris")]
)
def test_does_not_find_what_is_not_there(is_right, answer, target):
    assert not is_right(Substring(), answer, target)


def test_any_of_several_targets_will_do(is_right):
    assert is_right(Substring(), "It is Lutetia", ["Paris", "Lutetia"])
    assert not is_right(Substring(), "It is Rome", ["Paris", "Lutetia"])


def test_case_counts_where_it_should(is_right):
    assert not is_right(Substring(ignore_case=False), "polish", "Polish")
    assert is_right(Substring(ignore_case=False), "in Polish", "Polish")


def test_unicode_is_left_alone_where_it_should(is_right):
    assert not is_right(Substring(normalize_unicode=False), "l’eau", "l'eau")


def test_unicode_never_joins_a_power_to_its_base(is_right):
    assert not is_right(Substring(), "5²", "52")


@pytest.mark.parametrize(
    ("answer", "target", "expected"),
    [
        ("I know", "no", False),
        ("no, thanks", "no", True),
        ("42", "4", False),
        ("4.5", "4", False),
        ("1,400", "400", False),
        ("it is 4.", "4", True),
        ("4, or so", "4", True),
        ("(4)", "4", True),
        ("Parisian", "Paris", False),
        ("a no_way", "no", False),
        ("I know that no one came", "no", True),
        ("use C++ here", "C++", True),
        ("use C++11 here", "C++", True),
        ("a.b", "a+b", False),
    ],
)
def test_whole_words(is_right, answer, target, expected):
    assert is_right(Substring(whole_words=True), answer, target) is expected


def test_parts_of_words_count_by_default(is_right):
    assert is_right(Substring(), "I know", "no")


@pytest.mark.parametrize("target", ["", "  ", "\u200b", ["\u200b", ""]])
def test_a_target_that_every_answer_contains_is_refused(check, target):
    with pytest.raises(DatasetError, match="empty target"):
        check(Substring(), target)


def test_an_empty_alias_is_left_out(is_right):
    assert is_right(Substring(), "Paris", ["", "Paris"])
    assert not is_right(Substring(), "Rome", ["", "Paris"])


def test_target_of_a_multiple_choice_row_is_the_options_text(is_right):
    assert is_right(Substring(), "surely Paris", 1, ["Rome", "Paris"])
    assert not is_right(Substring(), "surely Rome", 1, ["Rome", "Paris"])


def test_explanation_says_what_was_looked_for(grade):
    assert grade(Substring(), "x", ["Paris", "Rome"]).explanation == (
        "did not find 'Paris' or 'Rome'"
    )
    assert grade(Substring(), "It's Rome", ["Paris", "Rome"]).explanation == "found 'Rome'"
