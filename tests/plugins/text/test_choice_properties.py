"""What holds for every question with options: its texts are told apart, and none is guessed."""

import pytest
from hypothesis import assume, given, strategies as st

from proctor_text.choice import Choice
from proctor_text.letters import sole_letter
from proctor_text.statements import stated_choice

SIGNS = ["", "-", "+", "−", "≥", "<", "√", "~", "±", ".", "$", "¬", "#"]
bodies = st.sampled_from(
    ["1", "2", "10", "x", "Paris", "New York", "aa", "AA", "(0,1)", "\\frac{1}{2}", "5!"]
)
signed = st.tuples(st.sampled_from(SIGNS), bodies).map("".join)
texts = st.one_of(
    signed,
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
).map(str.strip)
questions = st.lists(texts.filter(bool), min_size=2, max_size=6).map(tuple)
LEADS = ["{}", "The answer is {}", "Answer: {}", "**Answer:** {}", "\\boxed{{{}}}"]


def is_letter(text, count):
    """Whether a text is one of the question's letters, in brackets or not."""
    plain = "".join(character for character in text if character.isalnum())
    index = sole_letter(plain) if plain.isascii() else None
    return index is not None and index < count


@given(questions, st.data())
def test_repeating_an_option_states_it(options, data):
    index = data.draw(st.integers(0, len(options) - 1))
    assume(not is_letter(options[index], len(options)))
    assume(stated_letterless(options[index]))
    stated = stated_choice(options[index], len(options), options)
    assert stated is not None
    assert options[stated] == options[index]


def stated_letterless(text):
    """Whether a text is no answer of another form: a letter and a text, a box, a tag."""
    return not any(mark in text for mark in ("\\", "<", ">")) or text.startswith("\\frac")


@given(
    st.sampled_from(SIGNS),
    st.sampled_from(SIGNS),
    st.sampled_from(["1", "2", "10", "0.5"]),
    st.sampled_from(LEADS),
)
def test_a_sign_before_an_options_text_belongs_to_it(shown, said, number, lead):
    options = (shown + number, "Paris", "7")
    stated = stated_choice(lead.format(said + number), 3, options)
    same = shown.replace("−", "-") == said.replace("−", "-")
    assert stated == (0 if same else None)


@given(st.lists(signed, min_size=2, max_size=5), st.sampled_from(LEADS), st.data())
def test_permuting_the_options_permutes_the_verdict(options, lead, data):
    order = data.draw(st.permutations(range(len(options))))
    text = data.draw(st.sampled_from(options))
    before = stated_choice(lead.format(text), len(options), tuple(options))
    shuffled = tuple(options[index] for index in order)
    after = stated_choice(lead.format(text), len(options), shuffled)
    said = None if before is None else options[before]
    assert said == (None if after is None else shuffled[after])


@given(
    st.permutations("ABCD"),
    st.sampled_from(
        [
            "{} or {}",
            "{}, {}",
            "({}), ({})",
            "{}/{}",
            "{} and {}",
            "\\boxed{{{}}} or \\boxed{{{}}}",
            "\\boxed{{{}, {}}}",
            "Foo: {}\nBar: {}",
            "{} is correct. {} is correct.",
        ]
    ),
)
def test_two_letters_of_equal_standing_state_none(letters, spelling):
    text = spelling.format(*letters[:2])
    for lead in ("{}", "Let me see.\n{}"):
        assert stated_choice(lead.format(text), 4) is None
    if "\n" not in text and "is correct" not in text:
        assert stated_choice(f"The answer is {text}", 4) is None


WORDS = [
    "Jibu",
    "Jawaban",
    "Đáp án",
    "Câu trả lời",
    "उत्तर",
    "الجواب",
    "উত্তর",
    "答",
    "Ìdáhùn",
    "คำตอบ",
    "תשובה",
    "პასუხი",
]


@given(
    st.sampled_from(WORDS),
    st.sampled_from([":", ": ", "：", " : "]),
    st.sampled_from("ABCD"),
    st.sampled_from(["{}", "({})", "**{}**", "{}.", "${}$", "\\({}\\)", '"{}"']),
)
def test_a_last_line_that_labels_a_letter_states_it_in_any_language(word, colon, letter, wrap):
    line = f"{word}{colon}{wrap.format(letter)}"
    for lead in ("", "Aaa bbb.\n\n"):
        assert stated_choice(lead + line, 4) == "ABCD".index(letter)


WRONG = ["wrong", "incorrect", "false", "worst", "rejected"]


@given(
    st.sampled_from(WRONG),
    st.sampled_from("ABCD"),
    st.sampled_from(
        [
            "The {w} answer is {x}",
            "{w} answer: {x}",
            "{w}: {x}",
            "{w} answers: {x}",
            "{x} is {w}",
            "The {w} option is {x}.",
            "{x} is the {w} answer",
        ]
    ),
)
def test_what_is_called_wrong_is_not_the_answer(word, letter, spelling):
    assert stated_choice(spelling.format(w=word, x=letter).capitalize(), 4) is None


@pytest.mark.parametrize(
    "mark",
    ["A ", "A\n", "<answer>", "x: A\n", "the answer is A or B, ", "Rome\n", "{", "$1", "- ", "(("],
)
def test_a_long_answer_is_read_in_bounded_time(mark):
    text = mark * (1_000_000 // len(mark))
    stated_choice(text, 3, ("Rome", "Paris", "x" * 30))
    assert stated_choice(text + "\nThe answer is (B).", 3, ("Rome", "Paris", "x" * 30)) == 1


def test_an_alias_that_is_no_letter_is_left_out(is_right):
    assert is_right(Choice(), "A", ["A", "Paris"])
    assert not is_right(Choice(), "B", ["A", "Paris"])
