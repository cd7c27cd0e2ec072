import pytest
from hypothesis import given, strategies as st

from proctor import DatasetError, Example, Message, Sample
from proctor_text.f1 import F1


@pytest.mark.parametrize(
    ("answer", "target", "expected"),
    [
        ("Paris", "Paris", 1.0),
        ("The Paris!", "paris", 1.0),
        ("", "Paris", 0.0),
        ("Rome", "Paris", 0.0),
        # one of two words shared: P = 1/2, R = 1
        ("not Paris", "Paris", 2 / 3),
        # two of three, and two of four: P = 2/3, R = 2/4
        ("red green blue", "green blue black white", 4 / 7),
        # a word counts as often as it stands there: shared 1, P = 1/3, R = 1/2
        ("yes yes yes", "yes no", 2 / 5),
        ("u.s.", "US", 1.0),
    ],
)
def test_is_the_harmonic_mean_of_precision_and_recall(grade, answer, target, expected):
    assert grade(F1(), answer, target).value == pytest.approx(expected)


def test_the_best_target_counts(grade):
    result = grade(F1(), "red car", ["blue", "red car", "red"])
    assert result.value == 1.0
    assert "red car" in result.explanation


def test_articles_count_where_they_should(grade):
    assert grade(F1(ignore_articles=False), "the Louvre", "Louvre").value == pytest.approx(2 / 3)
    assert grade(F1(), "the Louvre", "Louvre").value == 1.0


@pytest.mark.parametrize("target", ["", "The", "...", "The The", ["The", "a"]])
def test_a_target_without_words_is_refused(check, target):
    with pytest.raises(DatasetError, match="no word"):
        check(F1(), target)


def test_an_alias_without_words_is_left_out(grade):
    assert grade(F1(), "Paris", ["The The", "Paris"]).value == 1.0
    assert grade(F1(), "the", ["The The", "Paris"]).value == 0.0


def test_is_no_proportion():
    assert not F1().is_proportion


words = st.lists(st.sampled_from(["red", "green", "blue", "one"]), min_size=1).map(" ".join)


@given(words, words)
def test_is_symmetric_within_its_scale_and_1_only_for_the_same_words(left, right):
    def value(answer, target):
        sample = Sample("row", 0, "complete", [Message(role="assistant", content=answer)], [])
        return F1().grade(Example(id="row", input="?", target=target), sample).value

    assert value(left, right) == value(right, left)
    assert 0.0 <= value(left, right) <= 1.0
    assert (value(left, right) == 1.0) == (sorted(left.split()) == sorted(right.split()))
