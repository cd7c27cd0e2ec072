"""The math grader beside its table: targets, keys, the peer, the rules of graders."""

from __future__ import annotations

import random
import time

import pytest
from math_verify import parse, verify

import proctor
from proctor.testing import check_grader
from proctor_math.grader import Math


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("", "it is empty"),
        ("1, 3, 5, ..., 2n-1", "a part of it is left out"),
        (r"1,2,\ldots,n", "a part of it is left out"),
        ("the answer is 5", "it holds the word"),
        (r"5 \foo 3", r"math-verify reads no \foo"),
        (r"\frac{1}{2", "its braces don't match"),
        ("(1,2", "its brackets don't match"),
        ("x +", "it ends in an operator"),
        ("3 4", "numbers stand side by side"),
        ("$5$ and then $6$", "it holds text beside the formula"),
        ("5 # 6", "it holds the sign '#'"),
        ("1+" * 1500 + "1", "it has 3001 characters"),
    ],
)
def test_a_target_that_can_t_be_read_whole_is_an_error_before_anything_is_sampled(target, why):
    with pytest.raises(proctor.DatasetError) as caught:
        Math().check_example(proctor.Example(id="row 7", input="?", target=target))
    assert why in str(caught.value)
    assert "row 7" in str(caught.value)


def test_no_target_keeps_the_look_at_it_for_long():
    began = time.monotonic()
    for target in ("9" * 1999, "5^{5^{5^{5^5}}}", "(" * 999 + "1" + ")" * 999, "99999999!"):
        Math().check_example(proctor.Example(id="e", input="?", target=target))
    assert time.monotonic() - began < 20, "spellings alone are looked at"


def test_any_of_several_targets_will_do_and_all_share_a_key(grade_all):
    targets = ["x=5", "5 \\text{ apples}"]
    first, second, third = grade_all([(targets, "5"), (targets, "5 apples"), (targets, "6")])
    assert [first.value, second.value, third.value] == [1.0, 1.0, 0.0]
    assert first.answer == second.answer != third.answer


def test_wrong_answers_that_agree_share_a_key(grade_all):
    made = grade_all([("7", text) for text in ("1/2", "\\boxed{0.5}", "x = \\frac{2}{4}", "3")])
    assert len({grading.answer for grading in made[:3]}) == 1
    assert made[3].answer not in {grading.answer for grading in made[:3]}


def test_a_long_answer_is_read_from_its_end(grade_all):
    text = "We compute $1+1$. " * 5000 + "So the answer is \\boxed{42}."
    assert grade_all([("42", text)])[0].value == 1.0


def simple_pairs(seed: int, count: int) -> list[tuple[str, str]]:
    chance, pairs = random.Random(seed), []
    for number in range(count):
        a, b, off = chance.randint(1, 99), chance.randint(2, 99), chance.random() < 0.5
        pairs.append(
            (
                (rf"\frac{{{a}}}{{{b}}}", rf"\boxed{{{2 * a}/{2 * b + off}}}"),
                (f"{a}", f"the answer is {a + off}."),
                (rf"\sqrt{{{a}}}+{b}", rf"\boxed{{{b}+\sqrt{{{a + off}}}}}"),
                (rf"\{{{a},{b}\}}", rf"\boxed{{{b},{a + off}}}"),
                (f"x^2+{2 * a}x+{a * a}", rf"\boxed{{(x+{a})^2{'+1' if off else ''}}}"),
                (f"({a},{a + b})", rf"\boxed{{({a},{a + b + off})}}"),
                (f"x={a}", rf"So $x={a + off}$"),
            )[number % 7]
        )
    return pairs


def test_it_agrees_with_math_verify_on_simple_pairs(grade_all):
    pairs = simple_pairs(14, 210)
    peer = [
        verify(
            parse(f"${target}$", parsing_timeout=None),
            parse(answer, parsing_timeout=None),
            timeout_seconds=None,
        )
        for target, answer in pairs
    ]
    ours = [grading.value for grading in grade_all(pairs)]
    differing = [
        (pair, own, other)
        for pair, own, other in zip(pairs, ours, peer, strict=True)
        if own != float(other)
    ]
    assert differing == []
    assert 60 < sum(peer) < 150


def test_it_keeps_the_rules_of_graders():
    examples = [
        proctor.Example("a", "What is one half of 7?", r"\frac{7}{2}"),
        proctor.Example("b", "Where is the square of x at least 4?", r"(-\infty,-2]\cup[2,\infty)"),
        proctor.Example("c", "What is the derivative of the square of x?", "2x"),
    ]
    check_grader(Math, examples)
