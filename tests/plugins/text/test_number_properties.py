"""What holds for every number, however it is written: it is read as itself, or not at all."""

from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from proctor_text.number import Number
from proctor_text.numerals import final_numeral, sole_numeral, target_numeral

integers = st.integers(0, 10**9)
signs = st.sampled_from(["", "-", "−", "- ", "minus ", "negative ", "±", "+"])
SEPARATORS = [
    ",",
    ".",
    "'",
    "’",
    "_",
    " ",
    "\u00a0",
    "\u2009",
    "\u202f",
    "\\,",
    "\\!",
    "{,}",
    ",\\!",
]
TIMES = ["x", "×", "*", " \\times ", "\\cdot ", "⋅", " ∙ ", "•", " · ", "·"]
POWERS = ["10^{p}", "10^{{{p}}}", "10**{p}", "10^({p})"]
FRACTIONS = [
    "{a}/{b}",
    "{a}⁄{b}",
    "\\frac{{{a}}}{{{b}}}",
    "\\dfrac{{{a}}}{{{b}}}",
    "{{{a}\\over {b}}}",
]
WRAPS = [
    "{}",
    "**{}**",
    "__{}__",
    "${}$",
    "\\({}\\)",
    "\\boxed{{{}}}",
    "Answer: {}",
    "= {}",
    "`{}`",
]
UNITS = ["", " apples", " km", " m^2", " m s^{-2}", " km/h", "."]
wraps = st.sampled_from(WRAPS)


def value_of(text, decimal_comma=False):
    found, _ = final_numeral(text, decimal_comma)
    return None if found is None else found.scaled


@given(integers, st.sampled_from(SEPARATORS), wraps, st.booleans())
def test_groups_of_three_are_that_number_or_none(number, separator, wrap, decimal_comma):
    text = wrap.format(f"{number:,}".replace(",", separator))
    read = value_of(text, decimal_comma)
    # one group behind the sign of a decimal is that decimal
    point = "," if decimal_comma else "."
    mark = separator.replace("\\!", "").strip("{}")
    if mark == point and 1000 <= number < 10**6:
        assert read == Fraction(f"{number:,}".replace(",", "."))
    else:
        assert read == number


@given(integers, st.integers(0, 999), signs, wraps, st.sampled_from(UNITS))
def test_a_signed_decimal_is_itself_or_no_number(whole, part, sign, wrap, unit):
    text = wrap.format(f"{sign}{whole}.{part:03}{unit}")
    number = Fraction(f"{whole}.{part:03}")
    if "±" in sign:
        assert value_of(text) is None
    else:
        expected = -number if sign not in ("", "+") else number
        assert value_of(text) in (expected, None)
        if " " not in sign:
            assert value_of(text) == expected


@given(st.integers(1, 999), st.integers(-30, 30), st.sampled_from(TIMES), st.sampled_from(POWERS))
def test_a_power_of_ten_is_itself(number, power, times, spelling):
    text = f"{number / 100}{times}{spelling.format(p=power)}"
    assert value_of(text) == Fraction(str(number / 100)) * Fraction(10) ** power


@given(st.integers(0, 9999), st.integers(1, 9999), st.sampled_from(FRACTIONS), wraps)
def test_a_fraction_is_itself(over, under, spelling, wrap):
    text = wrap.format(spelling.format(a=over, b=under))
    assert value_of(text) == Fraction(over, under)


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 99), st.sampled_from([" ", "\u00a0"]))
def test_a_mixed_number_is_itself_or_none(whole, over, under, space):
    expected = whole + Fraction(over, under) if over < under else None
    assert value_of(f"{whole}{space}{over}/{under}") == expected
    assert value_of(f"{whole}\\frac{{{over}}}{{{under}}}") == expected


JOINED = [
    "+",
    "-",
    " - ",
    "–",
    "×",
    " * ",
    ":",
    "..",
    ", ",
    "; ",
    " and ",
    " or ",
    " to ",
    " of ",
    "^-1^",
    "±",
]


@given(integers, integers, st.sampled_from(JOINED), wraps)
def test_two_numbers_are_none(left, right, joint, wrap):
    assert value_of(wrap.format(f"{left}{joint}{right}")) is None


@given(
    integers, st.sampled_from("abekpqxyzαθπ"), st.sampled_from(["{n}{v}", "{n} {v}", "{v}({n})"])
)
def test_a_number_with_a_variable_is_none(number, variable, spelling):
    text = spelling.format(n=number, v=variable)
    for wrap in ("{}", "\\boxed{{{}}}", "${}$", "x = {}"):
        assert value_of(wrap.format(text)) is None
    assert target_numeral(text) is None


@given(
    integers, st.sampled_from(["x{op}{n}", "{n}{op}x", "(a+b){op}{n}"]), st.sampled_from("+-*/^×")
)
def test_a_number_in_an_expression_is_none(number, spelling, operator):
    text = spelling.format(n=number, op=operator)
    for wrap in ("{}", "\\boxed{{{}}}", "${}$", "y = {}"):
        assert value_of(wrap.format(text)) is None


@given(st.text(alphabet="0123456789.,'_ -+/:^*x×()=%!$", min_size=1, max_size=12))
def test_what_is_read_holds_every_digit_of_its_run(text):
    # a number that is read has all digits that stand together, never some of them
    read = sole_numeral(text)
    if read is not None and "=" not in text and "^" not in text:
        assert sum(map(str.isdigit, read.text)) == sum(map(str.isdigit, text))


@given(st.text(alphabet="0123456789.,/-%", min_size=1, max_size=10))
def test_a_target_that_is_accepted_is_read_alike_in_an_answer(target):
    if target_numeral(target) is not None:
        assert target_numeral(target) == sole_numeral(target)
        assert final_numeral(f"\\boxed{{{target}}}")[0] == target_numeral(target)


@pytest.mark.parametrize(
    "mark", ["1,", "1 ", "\\frac{", "{1\\over", "^{", "~~", "- ", "1x", "\\boxed{"]
)
def test_a_long_answer_is_read_in_bounded_time(mark):
    # a minute would be a pattern that explodes; a second is usual
    final_numeral(mark * (1_000_000 // len(mark)))
    assert value_of("x" * 1_000_000 + " 42") == 42


def test_an_alias_that_is_no_number_is_left_out(is_right):
    assert is_right(Number(), "4", ["four", "4", "12:30"])
    assert not is_right(Number(), "30", ["four", "4", "12:30"])
