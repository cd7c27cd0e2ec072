from fractions import Fraction

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from proctor import DatasetError
from proctor_text.number import Number
from proctor_text.numerals import final_numeral, sole_numeral


def value(text, decimal_comma=False):
    found, _ = final_numeral(text, decimal_comma)
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("42", "42"),
        ("The answer is 42.", "42"),
        ("First 3, then 4", "4"),
        ("$29.00", "29"),
        ("\\$29.00", "29"),
        ("29€", "29"),
        ("-$5", "-5"),
        ("$-5$", "-5"),
        ("**18**", "18"),
        ("#### 18", "18"),
        ("1,234.5", "1234.5"),
        ("1,234,567", "1234567"),
        ("12,34,567", "1234567"),
        ("1'234'567", "1234567"),
        ("1’234", "1234"),
        ("1_000", "1000"),
        ("10\u202f000\u202f000", "10000000"),
        ("1{,}234", "1234"),
        ("1\\,234", "1234"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("x=-5", "-5"),
        ("(-5)", "-5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("so...42", "42"),
        ("6.02e23", "6.02e23"),
        ("6.02E-23", "6.02e-23"),
        ("6.02 × 10^23", "6.02e23"),
        ("6.02 x 10^{-23}", "6.02e-23"),
        ("6.02 \\times 10^{23}", "6.02e23"),
        ("6.02·10²³", "6.02e23"),
        ("10⁵", "100000"),
        ("5²", "25"),
        ("2^{10}", "1024"),
        ("3/4", "3/4"),
        ("-3/4", "-3/4"),
        ("1 3/4", "7/4"),
        ("½", "1/2"),
        ("1½", "3/2"),
        ("\\frac{1}{2}", "1/2"),
        ("\\frac12", "1/2"),
        ("\\dfrac{-1}{2}", "-1/2"),
        ("\\frac{1}{-2}", "-1/2"),
        ("\\frac{-1}{-2}", "1/2"),
        ("-\\tfrac{1}{2}", "-1/2"),
        ("1\\frac{1}{2}", "3/2"),
        ("\\frac{1,000}{3}", "1000/3"),
        ("42km", "42"),
        ("25 m^2", "25"),
        ("25 m²", "25"),
        ("90^\\circ", "90"),
        ("x_1 = 7", "7"),
        ("7 = x_{12}", "7"),
        ("7 is H2O", "7"),
        ("答案是42。", "42"),
        ("٤٢", "42"),
        ("１２", "12"),
        ("50%", "50"),
    ],
)
def test_reads_the_last_number(answer, expected):
    assert value(answer) == Fraction(expected)


@pytest.mark.parametrize(
    "answer",
    [
        *("10-3", "10 - 3", "5–7", "- 5 apples", "GPT-4", "on 5/3/2024", "1,2,3", "(3,5)"),
        "about 3 of 4, so \\frac{\\pi}{2}",
    ],
)
def test_a_part_of_something_else_is_no_number(answer):
    assert value(answer) is None
    assert value(f"7 then {answer}") is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("\\boxed{3}, correcting: \\boxed{4}", "4"),
        ("\\boxed{4}, which took 3 steps", "4"),
        ("\\boxed{\\frac{1}{2}} or 12", "1/2"),
        ("\\boxed{x = 4}", "4"),
        ("\\boxed{12 + 30 = 42}", "42"),
        ("\\boxed{4 \\text{ apples}}", "4"),
        ("\\boxed{\\text{(B) }4}", "4"),
        ("\\boxed{\\$29.00}", "29"),
        ("\\boxed{1{,}234}", "1234"),
        ("\\boxed{\\mathbf{4}}", "4"),
        ("\\boxed{\\left(4\\right)}", "4"),
        ("\\boxed{25\\text{ cm}^2}", "25"),
        ("\\boxed{60\\text{ km/h}}", "60"),
        ("\\boxed{3.5 \\times 10^4}", "35000"),
        ("\\boxed{90^\\circ}", "90"),
        ("\\boxed 42 and 7", "42"),
        ("\\fbox{42} and 7", "42"),
        ("\\boxed{42", "42"),
        ("\\boxed{42\n7", "42"),
    ],
)
def test_the_last_box_wins(answer, expected):
    assert value(answer) == Fraction(expected)


@pytest.mark.parametrize(
    "inside",
    ["", "x", "2x", "2\\pi", "\\sqrt{2}", "3\\sqrt{2}", "(3, 4)", "12 + 3", "x-5", "5!", "1/0"],
)
def test_a_box_without_a_plain_number_is_not_read(inside):
    assert value(f"7 so \\boxed{{{inside}}} 8") is None


@pytest.mark.parametrize("answer", ["", "four", "x_1", "1/0", "1e999999999", "9" * 5000, "9^9999"])
def test_no_number_is_read_where_there_is_none_to_compute_with(answer):
    assert value(answer) is None


def test_a_number_too_large_is_not_replaced_by_the_one_before_it():
    assert value("7 or 1e999999999") is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("3,5", "3.5"),
        ("1.234,56", "1234.56"),
        ("1.234.567", "1234567"),
        ("5.", "5"),
        ("-0,5", "-0.5"),
    ],
)
def test_decimal_comma(answer, expected):
    assert value(answer, decimal_comma=True) == Fraction(expected)


@pytest.mark.parametrize(
    ("answer", "target", "expected"),
    [
        ("$29.00", "29", True),
        ("29", "$29.00", True),
        ("0.5", "\\frac{1}{2}", True),
        ("so 12", "\\frac{1}{2}", False),
        ("it's 18 dollars", "18 dollars", True),
        ("I give up", "0", False),
        ("", "0", False),
        ("0.333", "1/3", False),
        ("123456788", "123456789", False),
        ("50%", "50", True),
        ("50%", "0.5", True),
        ("50%", "50%", True),
        ("50%", "5%", False),
        ("50", "0.5", False),
        ("2 million", "2000000", True),
        ("2 million", "2", True),
        ("2 million", "2 billion", False),
        ("answer 5", ["4", "5"], True),
        ("5", "\\boxed{5}", True),
        ("5", "so 4 + 1 gives \\boxed{5}", True),
        ("0.1", "0.10", True),
    ],
)
def test_compares_values(is_right, answer, target, expected):
    assert is_right(Number(), answer, target) is expected


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        ({"abs_tol": 0.3}, "1.3", True),
        ({"abs_tol": 0.3}, "0.7", True),
        ({"abs_tol": 0.3}, "1.31", False),
        ({"rel_tol": 0.01}, "1.01", True),
        ({"rel_tol": 0.01}, "1.011", False),
        ({"rel_tol": 0.01, "abs_tol": 0.1}, "1.1", True),
    ],
)
def test_tolerances(is_right, options, answer, expected):
    assert is_right(Number(**options), answer, "1") is expected


def test_relative_tolerance_is_a_share_of_the_target(is_right):
    assert is_right(Number(rel_tol=0.1), "-90", "-100")
    assert not is_right(Number(rel_tol=0.1), "-100", "-90")


def test_after_reads_the_first_number_behind_the_last_marker(is_right):
    grader = Number(after="Answer:")
    assert is_right(grader, "Answer: 3. Answer: 42 (in 7 steps)", "42")
    assert not is_right(grader, "42", "42")
    assert is_right(grader, "Answer: - 5 (in 7 steps)", "-5")
    assert is_right(grader, "Answer: 10m", "10")
    assert not is_right(grader, "Answer: 3, 4", "3")


@pytest.mark.parametrize("target", ["", "Paris", "3, 4", "2x", "5-7", "one of 3 in 4", ["2x", "x"]])
def test_a_target_that_is_no_number_is_refused(check, target):
    with pytest.raises(DatasetError, match="no number"):
        check(Number(), target)


@pytest.mark.parametrize("option", [{"rel_tol": -1}, {"abs_tol": float("nan")}, {"after": ""}])
def test_wrong_options_are_refused(option):
    with pytest.raises(ValidationError):
        Number(**option)


def test_answers_that_count_as_the_same_agree(read):
    grader = Number()
    assert read(grader, "0.50") == read(grader, "\\frac{1}{2}") == read(grader, "so 50%")
    assert read(grader, "0.5") != read(grader, "5")
    assert read(grader, "none") is None


def test_explanation_says_what_was_read(grade):
    assert grade(Number(), "it's $1,200.", "1300").explanation == "read '1,200', want '1300'"
    assert grade(Number(), "none", "4").explanation == "no number in 'none', want '4'"
    assert "\\\\boxed{x}" in grade(Number(), "5 or \\boxed{x}", "5").explanation


@given(st.integers(-(10**12), 10**12), st.sampled_from(["{}", "{:,}", "so {}.", "${}$", "**{}**"]))
def test_integers_survive_their_spelling(number, spelling):
    assert value(spelling.format(number)) == number
    assert value("7 then " + spelling.format(number)) == number


@given(st.decimals(-(10**9), 10**9, places=3))
def test_decimals_survive_their_spelling(number):
    assert value(f"{number:f}") == value(f"{number:,.3f}") == Fraction(number)
    german = f"{number:,.3f}".translate(str.maketrans(",.", ".,"))
    assert value(german, decimal_comma=True) == Fraction(number)


@given(st.integers(-999, 999), st.integers(1, 999))
def test_fractions_survive_their_spelling(over, under):
    for text in (f"{over}/{under}", f"\\frac{{{over}}}{{{under}}}", f"\\boxed{{{over}/{under}}}"):
        assert value(text) == Fraction(over, under)
        assert sole_numeral(text).value == Fraction(over, under)


@given(st.text(alphabet="0123456789.,-+/^{}\\ boxedfracsqrt%e×$½²٣", max_size=40))
def test_hostile_text_is_read_or_not_and_never_fails(text):
    for comma in (False, True):
        found, _ = final_numeral(text, comma)
        assert found is None or isinstance(found.value, Fraction)
        sole_numeral(text, comma)
        assert found is None or str(found.scaled)
