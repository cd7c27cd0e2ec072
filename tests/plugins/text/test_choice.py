import pytest
from hypothesis import given, strategies as st

from proctor import DatasetError
from proctor_text.choice import Choice
from proctor_text.statements import stated_choice

OPTIONS = ("Rome", "Paris", "Berlin", "A dog")


def stated(text, options=OPTIONS):
    index = stated_choice(text, len(options), options)
    return None if index is None else "ABCDEFGHIJ"[index]


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        # one line each from users' reports of misread answers
        ("The answer is clearly B", "B"),
        ("The answer is determined by several things... So the right option is B", "B"),
        ("The answer is determined by... option is B", "B"),
        ("The answer is based on option (C)", "C"),
        ("If the answer is A then x. Hence \\boxed{\\text{C}}", "C"),
        ("Answer seems to be A", "A"),
        ("Antwort: A\nIch korrigiere mich.\nAntwort: C", "C"),
        ("The answer is a matter of taste. Answer: D", "D"),
    ],
)
def test_reads_what_others_misread(answer, letter):
    assert stated(answer) == letter


@pytest.mark.parametrize(
    "answer",
    [
        *("B", "b", "(b)", "B)", "B.", "**B**", "(B)", "[B]", '"B"', "$B$", "B\n", "  B :"),
        *("B) Paris", "**B) Paris**", "(B) Paris", "B. Paris", "B: Paris", "B - Paris", "B Paris"),
        *("Answer: B", "**Answer: B**", "Answer:\n\nB", "Answer:B", "ANSWER: B", "Ans. B"),
        *("Answer - B", "Answer: (B)", "Answer: B) Paris", "Answer: B (Paris)", "Answer: b"),
        *("Final Answer: [B]", "Answer: Option B", "<answer>B</answer>", "The answer is $B$."),
        *("The answer is B!", "The answer is “B”.", "The answer is \\textbf{B}", "\\boxed{B}"),
        *("\\boxed{\\text{(B)}}", "\\boxed{B) Paris}", "\\boxed{Paris}", "So, the answer is:\n(B)"),
        "The correct answer to the question above is therefore B.",
        "I believe the answer is **B) Paris**.",
        "I would say the answer is B",
        "My final answer is B",
        "The answer would most likely be option B: Paris.",
        "The answer is B because A is in Italy.",
        "The answer is B, as A is wrong.",
        "The answer is thus B, since A and C fail.",
        "The answer is B. Option A is wrong, option C is also wrong.",
        "B is correct.",
        "A is incorrect, so B is correct.",
        "B is the best answer because the others are smaller.",
        "The correct option is B",
        "The best choice is B.",
        "I'd go with B.",
        "Of the options, I would select B",
        "We must choose (b).",
        "Option B",
        "B, because it is the capital",
        "I think it is (B).",
        "Is it A? No, it's B.",
        "B\n\nExplanation: Option A is the capital of Italy.",
        "B) Paris\n\nCompare (C), in Germany.",
        "B\n\nA) is in Italy.\nC) is in Germany.",
        "B) Paris\n\nRome is the capital of Italy, and C is in Germany.",
        "Consider A and C.\nCompare them.\n\nB",
        "A) Rome\nB) Paris\nC) Berlin\nD) A dog\n\nB",
        "A) Rome\nB) Paris\nC) Berlin\nD) A dog\nAnswer: B",
        "A) Rome\nB) Paris\nC) Berlin\nD) A dog\n\nI think (B).",
        *("Paris", "paris.", "The answer is Paris.", "The answer is **Paris**", 'Answer: "Paris"'),
        *("Die richtige Antwort ist B.", "Antwort: B) Paris", "Die Lösung lautet B."),
        *("La réponse est B", "La respuesta correcta es la B.", "Respuesta: B", "Risposta: B"),
        *("A resposta correta é B", "Het antwoord is B", "Odpowiedź: B", "Ответ: B", "Cevap: B"),
        *("答案是B。", "答案：B", "正解はBです", "정답은 B입니다", "正确答案是（B）"),
    ],
)
def test_reads_the_letter(answer):
    assert stated(answer) == "B"


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("The answer is not A but B", "B"),
        ("The answer is B, not A.", "B"),
        ("The answer is B rather than A", "B"),
        ("The answer is (B) and not (C).", "B"),
        ("The answer cannot be B, it must be C", "C"),
        ("Neither A nor B. The answer is C.", "C"),
        ("Answer: A\nWait, no.\nAnswer: B", "B"),
        ("The answer is either A or B. On reflection the answer is B", "B"),
        ("The answer is B? No, it is C.", "C"),
        ("Option A is not correct; option B is.", "B"),
    ],
)
def test_the_last_statement_that_is_not_denied_wins(answer, letter):
    assert stated(answer) == letter


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("A", "A"),
        ("a", "A"),
        ("A.", "A"),
        ("The answer is A.", "A"),
        ("The answer is A because it is", "A"),
        ("Answer: a", "A"),
        ("A dog", "D"),
        ("a dog.", "D"),
        ("The answer is A dog", "D"),
        ("Answer: A Rome", "A"),
        ("A better answer is C", "C"),
        ("A\n\nB is a distractor.", "A"),
        ("a\n\nB is a distractor.", "A"),
        ("A dog is an animal", None),
        ("The answer is a mystery", None),
        ("the answer is a", "A"),
    ],
)
def test_an_article_is_no_letter(answer, letter):
    assert stated(answer) == letter


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("I cannot help with that.", None),
        ("I'm sure of it", None),
        ("The answer is I think B", "B"),
        ("I don't know the answer, I guess", None),
        ("The answer is I", "I"),
        ("I", "I"),
        ("The answer is (I).", "I"),
    ],
)
def test_a_pronoun_is_no_letter(answer, letter):
    assert stated(answer, tuple(f"option number {n}" for n in range(10))) == letter


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " \n",
        "I don't know.",
        "not B",
        "Not (B)",
        "The answer is not B.",
        "The answer isn't B",
        "The answer is neither A nor B.",
        "The answer A is wrong.",
        "Option B isn't correct",
        "If the answer is B, then we are done",
        "Is the answer B?",
        "The answer is A or B",
        "The answer is A/B",
        "Both A and B are correct answers",
        "All of the above",
        "The answer is E",
        "E",
        "the answer is b because",
        "Let's compare option A with option B.",
        "It is vitamin C that matters.",
        "The answer is the one about vitamin C",
        "C++ is great",
        "I got a B-side",
        "A) Rome\nB) Paris\nC) Berlin\nD) A dog\n\nAnswer with the letter of the right option.",
        "A) Rome\nB) Paris\nC) Berlin\nD) A dog\n\nAnswer:",
        "The answer depends on the point of view.",
        "Rome or Paris",
    ],
)
def test_what_states_no_option_is_not_read(answer):
    assert stated(answer) is None


def test_letters_end_with_the_options():
    assert stated("The answer is C", ("one", "two")) is None
    assert stated("The answer is C", ("one", "two", "three")) == "C"


def test_a_text_that_two_options_share_states_neither():
    assert stated("SAME", ("same", "Same.", "other")) is None
    assert stated("same", ("same", "Same.", "other")) == "A"
    assert stated("other", ("same", "Same.", "other")) == "C"


def test_a_letter_is_its_letter_even_where_an_option_is_called_so():
    assert stated("A", ("B", "A")) == "A"


def test_options_of_punctuation_are_told_apart():
    assert stated("+", ("+", "-", "*")) == "A"
    assert stated("*", ("+", "-", "*")) == "C"


def test_grades_by_the_letter_that_was_shown(is_right):
    assert is_right(Choice(), "The answer is B", 1, OPTIONS)
    assert not is_right(Choice(), "The answer is B", 0, OPTIONS)
    assert not is_right(Choice(), "no idea", 0, OPTIONS)


def test_a_letter_as_target_needs_no_choices(is_right, check):
    assert is_right(Choice(), "The answer is (J).", "J")
    assert is_right(Choice(), "The answer is B", "(b)")
    assert is_right(Choice(), "The answer is B", ["A", "B"])
    assert not is_right(Choice(), "The answer is C", ["A", "B"])
    assert not is_right(Choice(letters=2), "The answer is C", "A")
    with pytest.raises(DatasetError, match="no letter from A to J"):
        check(Choice(), "K")
    check(Choice(letters=11), "K")


@pytest.mark.parametrize("target", ["Paris", "", "AB", ["AB", "Paris"]])
def test_a_target_that_is_no_letter_is_refused(check, target):
    with pytest.raises(DatasetError):
        check(Choice(), target)


def test_a_target_that_is_no_index_is_refused(check):
    with pytest.raises(DatasetError, match="index"):
        check(Choice(), "Paris", OPTIONS)


def test_answers_that_count_as_the_same_agree(read):
    answers = ("The answer is B", "(b)", "Paris")
    assert {read(Choice(), answer, 0, OPTIONS) for answer in answers} == {"Paris"}
    assert read(Choice(), "The answer is C", 0, OPTIONS) == "Berlin"
    assert read(Choice(), "no idea", 0, OPTIONS) is None
    assert read(Choice(), "Answer: c", "A") == "C"


def test_explanation_says_what_was_read(grade):
    assert grade(Choice(), "Answer: B", 2, OPTIONS).explanation == "read 'B', want 'C'"
    assert grade(Choice(), "D", 2, OPTIONS[:3]).explanation == "no option stated in 'D', want 'C'"
    assert grade(Choice(), "hm", 2, OPTIONS).explanation == "no option stated in 'hm', want 'C'"


LEADS = [
    "Answer: {}",
    "The answer is ({}).",
    "**{}**",
    "I choose {}.",
    "\\boxed{{{}}}",
    "{} is correct.",
]


@given(st.sampled_from("ABCD"), st.sampled_from("ABCD"), st.sampled_from(LEADS[:3]))
def test_a_later_answer_replaces_an_earlier_one(first, last, lead):
    assert stated(f"Answer: {first}\nLet me check that again.\n{lead.format(last)}") == last


@given(st.sampled_from("ABCD"), st.sampled_from(LEADS), st.sampled_from(["", "\n", " \n\n"]))
def test_every_letter_is_read_alike(letter, lead, end):
    assert stated(lead.format(letter) + end) == letter


@given(st.text(alphabet="ABCDabcdI answer:is()*\\boxed{}\n.,?!'", max_size=60))
def test_hostile_text_never_fails_nor_leaves_the_options(text):
    index = stated_choice(text, 3, ("one", "two", "three"))
    assert index in (None, 0, 1, 2)
