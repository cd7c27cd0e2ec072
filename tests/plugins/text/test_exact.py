import pytest
from hypothesis import given, strategies as st

from proctor import DatasetError, Example, Message, Sample
from proctor_text.exact import Exact

STRICT = Exact(
    ignore_case=False,
    ignore_whitespace=False,
    ignore_punctuation=False,
    ignore_articles=False,
    normalize_unicode=False,
)


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("Paris", "Paris"),
        (" paris.\n", "Paris"),
        ("**Paris**", "Paris"),
        ("“Paris!”", "Paris"),
        ("New\nYork", "New York"),
        ("claim", "[claim]"),
        ("[claim]", "[claim]"),
        ("Yes", " Yes"),
        ("3.5.", "3.5"),
        ("+", "+"),
        ("...", "..."),
    ],
)
def test_same_but_for_spelling(is_right, answer, target):
    assert is_right(Exact(), answer, target)


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("", "Paris"),
        ("Paris, France", "Paris"),
        ("not Paris", "Paris"),
        ("5", "-5"),
        ("35", "3.5"),
        ("5", ".5"),
        ("C", "C++"),
        ("C", "C#"),
        ("50", "50%"),
        ("-", "+"),
        ("?", "..."),
        ("the Paris", "Paris"),
        ("a b", "ab"),
    ],
)
def test_what_means_something_else_is_not_the_same(is_right, answer, target):
    assert not is_right(Exact(), answer, target)


@pytest.mark.parametrize(
    ("option", "answer", "target"),
    [
        ("ignore_case", "paris", "Paris"),
        ("ignore_whitespace", "New  York", "New York"),
        ("ignore_punctuation", "Paris.", "Paris"),
        ("ignore_articles", "the Louvre", "Louvre"),
        ("normalize_unicode", "l’eau", "l'eau"),
    ],
)
def test_each_option_alone_makes_its_difference(is_right, option, answer, target):
    assert not is_right(STRICT, answer, target)
    assert is_right(STRICT.model_copy(update={option: True}), answer, target)
    everything_else = Exact(ignore_articles=True).model_copy(update={option: False})
    assert not is_right(everything_else, answer, target)


def test_strict_is_strict(is_right):
    assert is_right(STRICT, "A  b.", "A  b.")
    assert not is_right(STRICT, "A  b. ", "A  b.")


def test_an_article_alone_keeps_its_meaning(is_right):
    assert is_right(Exact(ignore_articles=True), "The", "the")
    assert not is_right(Exact(ignore_articles=True), "An", "the")


def test_any_of_several_targets_will_do(is_right):
    assert is_right(Exact(), "b", ["a1", "B"])
    assert not is_right(Exact(), "c", ["a1", "B"])


def test_empty_target_is_refused(check):
    with pytest.raises(DatasetError):
        check(Exact(), ["", " "])


def test_an_empty_alias_is_left_out(is_right):
    assert is_right(Exact(), "x", ["x", " "])
    assert not is_right(Exact(), "", ["x", " "])


def test_answers_that_count_as_the_same_agree(read):
    assert read(Exact(), " Paris.") == read(Exact(), "**paris**") == "paris"
    assert read(Exact(), "Rome") != read(Exact(), "Paris")
    assert read(Exact(), "  ") is None


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_a_text_equals_itself_and_agreement_decides_the_grade(target, answer):
    grader = Exact()

    def sample(text):
        return Sample("row", 0, "complete", [Message(role="assistant", content=text)], [])

    example = Example(id="row", input="?", target=target)
    assert grader.grade(example, sample(target)).value == 1.0
    agree = grader.extract_answer(example, sample(answer)) == grader.extract_answer(
        example, sample(target)
    )
    assert (grader.grade(example, sample(answer)).value == 1.0) == agree
