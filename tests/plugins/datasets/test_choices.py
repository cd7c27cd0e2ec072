import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from proctor import DatasetError

CITIES = ["Rome", "Paris", "Berlin"]


def index(one, target, choices=CITIES, **options):
    example = one({"input": "Q", "choices": choices, "target": target}, **options)
    assert isinstance(example.target, int)
    return example.target


@pytest.mark.parametrize("target", [1, 1.0, "B", "b", "(B)", "B.", " Paris ", "Paris"])
def test_index_letter_and_text_are_understood(one, target):
    assert index(one, target) == 1


def test_the_right_option_is_known_by_text_and_letter(one):
    example = one({"input": "Q", "choices": CITIES, "target": "C"})
    assert example.choices == ("Rome", "Paris", "Berlin")
    assert example.targets == ["Berlin"]
    assert example.letter == "C"


@pytest.mark.parametrize(
    ("target", "choices"),
    [
        ("A", ["B", "A"]),
        (1, ["1", "2"]),
        ("same", ["same", "same"]),
    ],
)
def test_what_may_mean_several_options_is_refused(one, target, choices):
    with pytest.raises(DatasetError, match=r"may mean option A and B.*target_is"):
        index(one, target, choices)


def test_target_is_settles_it(one):
    assert index(one, "A", ["B", "A"], target_is="letter") == 0
    assert index(one, "A", ["B", "A"], target_is="text") == 1
    assert index(one, 1, ["1", "2"], target_is="index") == 1
    assert index(one, 1, ["1", "2"], target_is="text") == 0
    assert index(one, "1", target_is="index") == 1
    assert index(one, "1", target_is="index_from_1") == 0
    assert index(one, 3, target_is="index_from_1") == 2


@pytest.mark.parametrize("target", ["0", "1", "2", "3"])
def test_a_number_as_text_may_count_from_0_or_1(one, target):
    with pytest.raises(DatasetError, match=r"from 0 or from 1.*target_is"):
        index(one, target)


def test_a_number_that_is_an_option_is_that_option(one):
    assert index(one, "4", ["3", "4"]) == 1
    assert index(one, 4, [3, 4]) == 1


@pytest.mark.parametrize("target", [3, -1, "D", "London", "", "AB", True])
def test_what_means_no_option_is_refused(one, target):
    with pytest.raises(DatasetError, match="none of the 3 options"):
        index(one, target)


@pytest.mark.parametrize(
    ("target", "form"),
    [(0, "index_from_1"), (4, "index_from_1"), (3, "index"), ("Paris", "letter"), ("B", "text")],
)
def test_what_means_no_option_in_its_form_is_refused(one, target, form):
    with pytest.raises(DatasetError, match=f"by {form}"):
        index(one, target, target_is=form)


def test_options_may_stand_in_columns_of_their_own(one):
    row = {"Question": "Q", "Correct Answer": "x", "Wrong 1": "y", "Wrong 2": 7}
    example = one(row, input="Question", target="Correct Answer", choices=list(row)[1:])
    assert example.choices == ("x", "y", "7")
    assert example.target == 0


def test_options_that_some_rows_lack_may_be_empty_at_the_end_only(one):
    columns = ["A", "B", "C", "D"]
    row = {"input": "Q", "A": "x", "B": "y", "C": None, "D": ""}
    assert one(row, choices=columns).choices == ("x", "y")
    with pytest.raises(DatasetError, match="is empty"):
        one({**row, "D": "z"}, choices=columns)


def test_options_with_labels(one):
    choices = {"text": ["x", "y", "z"], "label": ["1", "2", "3"]}
    assert index(one, "2", choices) == 1
    letters = {"text": ["x", "y"], "label": ["A", "B"]}
    assert index(one, "B", letters) == 1
    with pytest.raises(DatasetError, match="none of"):
        index(one, "A", choices)
    with pytest.raises(DatasetError, match="1 labels for 2 options"):
        index(one, "A", {"text": ["x", "y"], "label": ["A"]})


def test_options_may_be_a_list_as_json(one):
    assert index(one, "y", '["x", "y"]') == 1


@pytest.mark.parametrize("choices", ["x, y", "[1", 5, {"a": 1}])
def test_what_is_no_list_of_options_is_refused(one, choices):
    with pytest.raises(DatasetError, match="no list of options"):
        index(one, "A", choices)


@pytest.mark.parametrize("choices", [[], ["x"], [None, None], [str(n) for n in range(27)]])
def test_too_few_or_too_many_options_are_refused(one, choices):
    with pytest.raises(DatasetError, match="2 to 26"):
        index(one, "A", choices)


def test_twenty_six_options_are_fine(one):
    assert index(one, "Z", [f"option {n}" for n in range(26)]) == 25


def test_several_targets_are_refused(one):
    with pytest.raises(DatasetError, match="several targets"):
        index(one, ["A", "B"])


def test_a_choices_column_can_be_left_alone(one):
    example = one({"input": "Q", "choices": "free text", "target": "x"}, choices=[])
    assert example.choices is None
    assert example.target == "x"


@pytest.mark.parametrize("target", [-1, "-1"])
def test_a_hidden_label_is_no_option(one, target):
    with pytest.raises(DatasetError, match="none of the 3 options; -1 stands for a label that is"):
        index(one, target)


MEDQA = {"A": "Rome", "B": "Paris", "C": "Berlin", "D": None}


@pytest.mark.parametrize(
    "choices",
    [
        MEDQA,
        json.dumps(MEDQA),
        [{"key": label, "value": text} for label, text in MEDQA.items()],
        [{"label": label, "text": text} for label, text in MEDQA.items()],
        {"text": list(MEDQA.values()), "label": list(MEDQA)},
    ],
)
def test_options_may_be_a_mapping_of_labels(one, choices):
    example = one({"input": "Q", "options": choices, "target": "B"}, choices="options")
    assert example.choices == tuple(CITIES)
    assert example.targets == ["Paris"]
    with pytest.raises(DatasetError, match="none of the 3 options"):
        index(one, "D", choices)


def test_labels_of_a_mapping_count_whatever_their_order(one):
    assert index(one, "A", {"C": "x", "A": "y", "B": "z"}) == 1
    assert index(one, "2", {"1": "x", "2": "y"}) == 1


@pytest.mark.parametrize("choices", [{"a": ["x"], "b": ["y"]}, {"a": {"b": "c"}, "d": "e"}, {}])
def test_a_mapping_of_something_else_is_refused(one, choices):
    with pytest.raises(DatasetError, match="no list of options"):
        index(one, "A", choices)


def truthful(labels, options=("x", "y", "z"), **row):
    return {"input": "Q", "mc1_targets": {"choices": list(options), "labels": labels}, **row}


def test_the_option_that_is_marked_is_right(one):
    for right in range(3):
        marks = [int(index == right) for index in range(3)]
        assert one(truthful(marks), choices="mc1_targets").target == right
        mapped = {"choices": "mc1_targets.choices", "target": "mc1_targets.labels"}
        assert one(truthful(marks), **mapped).target == right
    columns = {"input": "Q", "choices": ["x", "y"], "target": [False, True]}
    assert one(columns).target == 1


def test_a_target_counts_before_marks(one):
    assert one(truthful([1, 0, 0], gold="z"), choices="mc1_targets", target="gold").target == 2


def test_marks_that_are_hidden_are_no_target(one):
    assert one(truthful([-1, -1, -1]), choices="mc1_targets").target is None


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 0, 0], ("x", "y", "z"), "none of the options is marked right"),
        ([1, 0, 1], ("x", "y", "z"), "2 options are marked right, and a question has one"),
        ([0, 0, 1], ("x", "y", ""), "none of the options is marked right"),
        ([1, 0], ("x", "y", "z"), "2 labels for 3 options"),
    ],
)
def test_marks_of_none_or_several_are_refused(one, labels, options, message):
    with pytest.raises(DatasetError, match=message):
        one(truthful(labels, options), choices="mc1_targets")


def test_either_of_two_equal_options_is_right(one):
    assert index(one, "x", ["y", "x", " x "]) == 1
    assert index(one, "A", ["A", "A", "B"]) == 0
    assert one(truthful([1, 0, 1], ("x", "y", "x")), choices="mc1_targets").target == 0


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_option_in_the_middle_is_an_error_in_every_form(one, empty):
    for choices in (["x", empty, "z"], {"text": ["x", empty, "z"]}, {"A": "x", "B": empty, "C": 3}):
        with pytest.raises(DatasetError, match="row 1: option B in 'choices' is empty"):
            index(one, "A", choices)
    row = {"input": "Q", "a": "x", "b": empty, "c": "z"}
    with pytest.raises(DatasetError, match="option B in 'a, b, c' is empty"):
        one(row, choices=["a", "b", "c"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=3), min_size=2),
    st.data(),
)
def test_a_labelled_option_is_found_by_its_label_or_by_its_mark(one, texts, data):
    texts = texts[:26]
    right = data.draw(st.integers(0, len(texts) - 1))
    labels = [f"#{number}" for number in range(len(texts))]
    assert index(one, labels[right], dict(zip(labels, texts, strict=True))) == right
    marks = [int(number == right) for number in range(len(texts))]
    assert one(truthful(marks, texts), choices="mc1_targets").target == right
