"""The tables of the page on graders: every example in them is read as its row says."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from proctor_text.choice import Choice
from proctor_text.numerals import final_numeral, target_numeral
from proctor_text.statements import stated_choice
from proctor_text.substring import Substring

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "graders.md").read_text("utf-8")
CITIES = ("Rome", "Paris", "Berlin", "A dog")


def rows_of(header):
    """The rows of the table with this header, as lists of cells."""
    table = PAGE.split(f"\n{header}\n")[1].split("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def texts_of(cell):
    """The examples in a cell."""
    spans = re.findall(r"`([^`]+)`", cell)
    return [span.replace("\\|", "|").replace("⏎", "\n") for span in spans]


def numbers(header):
    for answers, expected, *_ in rows_of(header):
        wanted = texts_of(expected) or [None]
        texts = texts_of(answers)
        assert texts
        assert len(wanted) in (1, len(texts))
        assert wanted != [None] or expected == "no number"
        yield from zip(texts, wanted * (len(texts) // len(wanted)), strict=True)


def options_stated():
    for answers, letter, _ in rows_of("| answer | option | |"):
        yield from ((text, CITIES, letter) for text in texts_of(answers))
    for options, answers, letter in rows_of("| options | answer | option |"):
        yield from ((text, tuple(texts_of(options)), letter) for text in texts_of(answers))


def value_of(expected):
    share = Fraction(1, 100) if expected.endswith("%") else 1
    return Fraction(expected.rstrip("%")) * share


def hold_number(text, expected, decimal_comma):
    found, _ = final_numeral(text, decimal_comma)
    assert (None if found is None else found.scaled) == (expected and value_of(expected))


@pytest.mark.parametrize(("text", "expected"), list(numbers("| answer | number | |")))
def test_numbers(text, expected):
    hold_number(text, expected, decimal_comma=False)


@pytest.mark.parametrize(
    ("text", "expected"), list(numbers("| answer | number with a decimal comma |"))
)
def test_numbers_with_a_decimal_comma(text, expected):
    hold_number(text, expected, decimal_comma=True)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [(text, row[1]) for row in rows_of("| target | |") for text in texts_of(row[0])],
)
def test_targets_of_number(text, verdict):
    assert ("refused" if target_numeral(text) is None else "accepted") == verdict


@pytest.mark.parametrize(("text", "options", "letter"), list(options_stated()))
def test_options(text, options, letter):
    index = stated_choice(text, len(options), options)
    assert ("none" if index is None else "ABCD"[index]) == letter


@pytest.mark.parametrize(
    ("target", "answer", "expected"),
    [
        (texts_of(row[0])[0], text, column == 1)
        for row in rows_of("| target | in | not in |")
        for column in (1, 2)
        for text in texts_of(row[column])
    ],
)
def test_whole_words(is_right, target, answer, expected):
    assert is_right(Substring(whole_words=True), answer, target) is expected


def test_the_examples_are_many_and_of_each_kind():
    read = [expected for _, expected in numbers("| answer | number | |")]
    assert read.count(None) > 60
    assert len(read) - read.count(None) > 60
    stated = [letter for _, _, letter in options_stated()]
    assert stated.count("none") > 30
    assert len(stated) - stated.count("none") > 60


def test_equal_options_are_all_right(is_right):
    for letter in ("A", "B", "same"):
        assert is_right(Choice(), letter, 1, ("same", "same", "other"))
    assert not is_right(Choice(), "C", 1, ("same", "same", "other"))
