"""What lint says about datasets that would give wrong or misleading scores."""

from __future__ import annotations

import json
import random
import tracemalloc

import numpy as np
import pytest

from proctor.datasets.lint import lint_examples
from proctor.datasets.lint.uniformity import same_shares_p
from proctor.errors import DatasetError
from proctor.types import Example, Message


def found(examples, check, **options):
    """The only finding of a check, or None."""
    findings = [f for f in lint_examples(examples, **options).findings if f.check == check]
    assert len(findings) <= 1, findings
    return findings[0] if findings else None


def found_any(examples, check, **options):
    return any(f.check == check for f in lint_examples(examples, **options).findings)


def questions(n, **fields):
    return [
        Example(f"q{index}", f"Question {index}?", f"answer{index}", **fields) for index in range(n)
    ]


def quizzes(golds, options=4):
    names = [f"option {letter}" for letter in "klmnopqrst"]
    return [
        Example(f"q{index}", f"Question {index}?", gold, choices=tuple(names[:options]))
        for index, gold in enumerate(golds)
    ]


def test_a_sound_dataset_has_no_findings():
    report = lint_examples(questions(200))
    assert report.findings == ()
    assert report.rows == 200
    assert report.worst is None


def test_a_dataset_without_rows_is_an_error():
    report = lint_examples([])
    assert [f.check for f in report.findings] == ["no-rows"]
    assert report.worst == "error"


def test_questions_that_differ_in_their_picture_alone_are_no_duplicates():
    def about(name, picture):
        parts = [{"type": "image", "image": picture}, {"type": "text", "text": "Which color?"}]
        return Example(name, [{"role": "user", "content": parts}], "red")

    examples = [about("a", b"GIF89a one"), about("b", b"GIF89a two")]
    assert found(examples, "duplicate-prompt") is None
    assert found([*examples, about("c", b"GIF89a one")], "duplicate-prompt").rows == (3,)


def test_a_duplicate_id_names_its_rows():
    examples = questions(100)
    examples[41] = Example("q3", "Another question?", "answer")
    examples[97] = Example("q3", "A third question?", "other")
    finding = found(examples, "duplicate-id")
    assert (finding.severity, finding.count, finding.rows) == ("error", 2, (42, 98))


def test_equal_prompts_are_told_from_conflicting_ones():
    """Story 7: duplicate rows corrupted pass@k."""
    examples = [
        Example("a", "Capital of France?", "Paris"),
        Example("b", [Message(role="user", content="Capital of Italy?")], "Rome"),
        Example("c", "Capital of France?", "Paris"),
        Example("d", [Message(role="user", content="Capital of Italy?")], "Milan"),
        Example("e", "Capital of Spain?", ["Madrid", "MAD"]),
        Example("f", "Capital of Spain?", ["MAD", "Madrid"]),
        Example("g", "Pick one", 0, choices=("x1", "y1")),
        Example("h", "Pick one", 0, choices=("z1", "y1")),
    ]
    same = found(examples, "duplicate-prompt")
    assert (same.severity, same.count, same.rows) == ("warning", 2, (3, 6))
    conflicting = found(examples, "conflicting-targets")
    assert (conflicting.severity, conflicting.count, conflicting.rows) == ("error", 1, (4,))


def test_rows_without_a_target():
    examples = [*questions(4), Example("x", "No target?"), Example("y", "None?", [])]
    finding = found(examples, "no-target")
    assert (finding.severity, finding.count, finding.rows) == ("error", 2, (5, 6))
    assert found(examples, "no-target", needs_target=False) is None


@pytest.mark.parametrize("target", ["", "  \n", ["Paris", ""]])
def test_an_empty_target_is_part_of_every_answer(target):
    examples = [*questions(3), Example("x", "Empty?", target)]
    finding = found(examples, "empty-target", needs_target=False)
    assert (finding.severity, finding.count, finding.rows) == ("error", 1, (4,))
    assert found(examples, "no-target") is None


def test_all_targets_empty_or_missing_is_said_once():
    blank = [Example(f"q{i}", f"Question {i}?", "") for i in range(10)]
    assert found(blank, "empty-target").message == "every target is empty"
    assert found(blank, "empty-target").count == 10
    without = [Example(f"q{i}", f"Question {i}?") for i in range(10)]
    assert found(without, "no-target").message == "no row has a target"


def test_labels_that_are_hidden_are_an_error():
    hidden = [Example(f"q{i}", f"Question {i}?", "-1") for i in range(3)]
    finding = found(hidden, "hidden-target")
    assert (finding.severity, finding.count) == ("error", 3)
    assert "another one, such as validation" in finding.fix
    assert not found_any([*hidden, Example("x", "q", "1")], "hidden-target")
    for target in (None, "", "  "):
        examples = [Example(f"q{i}", f"Question {i}?", target) for i in range(3)]
        (fix,) = [f.fix for f in lint_examples(examples).findings if f.check.endswith("-target")]
        assert "another one, such as validation" in fix


@pytest.mark.parametrize(
    "example",
    [
        Example("x", "q", 2, choices=("aa", "bb")),
        Example("x", "q", -1, choices=("aa", "bb")),
        Example("x", "q", "aa", choices=("aa", "bb")),
        Example("x", "q", None, choices=("aa", "bb")),
        Example("x", "q", True, choices=("aa", "bb")),
        Example("x", "q", 0, choices=("aa",)),
        Example("x", "q", 0, choices=()),
        Example("x", "q", 0, choices=("aa", " ")),
        Example("x", "q", 0),
        Example("x", "q", 0, choices=tuple(f"<{i:02}>" for i in range(27))),
    ],
)
def test_unusable_options(example):
    finding = found([*quizzes([0, 1, 2, 3]), example], "unusable-choices")
    assert (finding.severity, finding.count, finding.rows) == ("error", 1, (5,))


def test_options_that_contain_one_another():
    examples = [
        Example("a", "q1", 0, choices=("Paris", "London")),
        Example("b", "q2", 0, choices=("10", "100")),
        Example("c", "q3", 0, choices=("New  York", "york", "x")),
        Example("d", "q4", 1, choices=("same", "Same ", "other one")),
    ]
    contained = found(examples, "contained-choices")
    assert (contained.severity, contained.rows) == ("warning", (2, 3))
    same = found(examples, "same-choices")
    assert (same.severity, same.rows) == ("error", (4,))


def test_gold_answers_all_in_one_place():
    """Story 7: gold answers were all "A"."""
    finding = found(quizzes([0] * 40), "gold-position")
    assert finding.severity == "warning"
    assert finding.details["histogram"] == [40, 0, 0, 0]
    assert finding.details["score"] == 1.0
    assert finding.details["best_constant"] == "A"
    assert "always A scores 1.000" in finding.message


def test_gold_answers_everywhere_are_no_warning():
    rng = random.Random(3)
    finding = found(quizzes([rng.randrange(4) for _ in range(400)]), "gold-position")
    assert finding.severity == "info"
    assert sum(finding.details["histogram"]) == finding.count == 400


def test_positions_are_compared_among_questions_with_as_many_options():
    """Two options put no gold answer in place C; that is no bias."""
    rng = random.Random(4)
    examples = quizzes([rng.randrange(2) for _ in range(300)], options=2)
    examples += quizzes([rng.randrange(5) for _ in range(300)], options=5)
    assert found(examples, "gold-position").severity == "info"


def test_letters_as_targets_are_positions_too():
    examples = [Example(f"q{i}", f"Question {i} with options", "A") for i in range(30)]
    finding = found(examples, "gold-position")
    assert finding.severity == "warning"
    assert finding.details["best_constant"] == "A"
    examples.append(Example("x", "Spelt out", "Paris"))
    assert found(examples, "gold-position") is None


def test_a_letter_among_questions_with_options_is_no_position():
    examples = [*quizzes([0, 1, 2, 3] * 10), Example("x", "Spell the first letter", "A")]
    assert found(examples, "gold-position").details["histogram"] == [10, 10, 10, 10]


def test_the_best_constant_answer():
    examples = questions(10) + [
        Example(f"y{i}", f"Is {i} odd?", target)
        for i, target in enumerate(["Yes.", "yes", "YES", ["no", "yes"], "no", "maybe"])
    ]
    finding = found(examples, "constant-answer")
    assert (finding.severity, finding.count, finding.rows) == ("info", 4, (11, 12, 13, 14))
    assert finding.details == {"answer": "yes", "score": 4 / 16}


@pytest.mark.parametrize(
    ("same", "severity"), [(2, "info"), (10, "info"), (12, "warning"), (20, "error")]
)
def test_a_constant_answer_is_as_bad_as_its_score(same, severity):
    examples = questions(20)
    for index in range(same):
        examples[index] = Example(f"q{index}", f"Question {index}?", "positive")
    assert found(examples, "constant-answer").severity == severity


def test_the_constant_answer_is_counted_also_among_many_targets(monkeypatch):
    monkeypatch.setattr("proctor.datasets.lint.targets.MOST_TEXTS", 5)
    examples = questions(10) + [Example(f"z{i}", f"Late {i}?", "zebra") for i in range(4)]
    finding = found(examples, "constant-answer")
    assert finding.count == 4
    assert "the target of row 11" in finding.message


def test_targets_in_their_prompts():
    examples = questions(100)
    examples[7] = Example("x", "Is Paris the capital of France?", "paris!")
    examples[8] = Example("y", "What is art?", "ar")
    examples[9] = Example("z", "Is a vowel a letter?", "a")
    finding = found(examples, "target-in-prompt")
    assert (finding.severity, finding.count, finding.rows) == ("info", 1, (8,))
    echo = [Example(f"q{i}", f"Say the word w{i} twice", f"w{i}") for i in range(100)]
    assert found(echo, "target-in-prompt").severity == "warning"


@pytest.mark.parametrize("field", ["stratum", "subject"])
def test_rows_sorted_by_a_field_bias_the_first_n(field):
    """Story 7: limit=100 took the first 100 rows, which were one category."""
    examples = [
        Example(f"q{i}", f"Question {i}?", f"answer{i}", metadata={field: f"subject {i // 100}"})
        for i in range(400)
    ]
    by = [] if field == "stratum" else ["metadata.subject"]
    finding = found(examples, "order", by=by)
    assert finding.severity == "warning"
    assert finding.details["field"] == f"metadata.{field}"
    assert finding.details["category"] == "subject 0"
    assert finding.details["share_in_first"] == 1.0
    assert finding.details["share_in_all"] == 0.25
    random.Random(1).shuffle(examples)
    assert found(examples, "order", by=by) is None
    assert found(examples, "order", by=by, limit=37) is None


def test_rows_sorted_by_target_or_by_position_bias_the_first_n():
    by_target = [Example(f"q{i}", f"Review {i}", "good" if i < 150 else "bad") for i in range(300)]
    assert found(by_target, "order").details["field"] == "target"
    by_position = quizzes([i // 100 for i in range(400)])
    assert found(by_position, "order").details["field"] == "the right option's position"


def test_the_first_n_are_those_that_a_person_asked_for():
    """Among the first 10 rows nothing is odd, among the first 50 it is."""
    mixed = ["x", "y", "rare"] * 400
    examples = [
        Example(f"q{i}", f"Question {i}?", f"a{i}", metadata={"stratum": stratum})
        for i, stratum in enumerate(["x", "y"] * 5 + ["rare"] * 40 + mixed)
    ]
    finding = found(examples, "order", limit=50)
    assert finding.details["first"] == 50
    assert finding.details["category"] == "rare"


def test_strata_that_some_rows_lack_are_a_category_of_their_own():
    examples = [
        Example(f"q{i}", f"Q {i}?", f"a{i}", metadata={} if i < 200 else {"stratum": "x"})
        for i in range(400)
    ]
    finding = found(examples, "order")
    assert finding.details["category"] == "(missing)"


def test_random_orders_and_positions_are_rarely_warned_about():
    rng = random.Random(5)
    warned = 0
    for seed in range(150):
        examples = [
            Example(
                f"q{i}",
                f"Question {i}?",
                rng.randrange(4),
                choices=("north", "east", "south", "west"),
                metadata={"stratum": rng.choice("abcde")},
            )
            for i in range(120)
        ]
        warned += lint_examples(examples, seed=seed).worst == "warning"
    assert warned <= 9


def test_many_fields_do_not_make_a_chance_finding_likelier():
    rng = random.Random(6)
    fields = [f"f{i}" for i in range(15)]
    warned = 0
    for seed in range(40):
        examples = [
            Example(
                f"q{i}", f"Question {i}?", f"a{i}", metadata={f: rng.choice("xy") for f in fields}
            )
            for i in range(60)
        ]
        warned += found_any(examples, "order", by=fields, seed=seed)
    assert warned <= 3


def test_a_significant_trifle_is_no_finding():
    """Among 20,000 rows, 4 percent more of one category in the first half."""
    strata = ["x"] * 5200 + ["y"] * 4800 + ["x"] * 4800 + ["y"] * 5200
    rng = random.Random(7)
    halves = [strata[:10_000], strata[10_000:]]
    for half in halves:
        rng.shuffle(half)
    examples = [
        Example(f"q{i}", f"Q {i}?", f"a{i}", metadata={"stratum": stratum})
        for i, stratum in enumerate(halves[0] + halves[1])
    ]
    first, rest = np.array([5200, 4800]), np.array([4800, 5200])
    assert same_shares_p(first, rest, seed=0) < 1e-6
    assert found(examples, "order") is None


def test_options_that_no_prompt_shows_may_stand_anywhere():
    """A likelihood is asked of each option by itself: no letter, and no order."""
    examples = quizzes([0] * 200, options=4)
    examples.append(Example("in", "Which?", 0, choices=("a dog", "dog")))
    examples.append(Example("many", "Which?", 29, choices=tuple(f"o{n:02}x" for n in range(30))))
    assert found(examples, "gold-position").severity == "warning"
    for check in ("gold-position", "contained-choices", "unusable-choices"):
        assert found_any(examples, check)
        assert not found_any(examples, check, shows_choices=False)
    examples.append(Example("same", "Which?", 0, choices=("a dog", "A dog")))
    examples.append(Example("one", "Which?", 0, choices=("a dog",)))
    assert found(examples, "same-choices", shows_choices=False).rows == (203,)
    assert found(examples, "unusable-choices", shows_choices=False).rows == (204,)


def test_rows_that_the_evaluator_refuses_are_an_error_in_its_words():
    def use(example):
        if not example.target.strip():
            raise DatasetError(f"row {example.id!r} is blank", fix="fill it in")

    examples = [*questions(3), Example("x", "?", " "), Example("y", "?", ""), Example("z", "?")]
    finding = found(examples, "refused-row", use=use)
    assert (finding.severity, finding.rows, finding.fix) == ("error", (4, 5), "fill it in")
    assert finding.message == "the evaluator can't use it: row 'x' is blank"
    assert found(examples, "no-target", use=use).rows == (6,)
    assert not found_any(questions(3), "refused-row", use=use)


def test_the_worst_comes_first_and_the_json_is_plain():
    examples = quizzes([0] * 30)
    examples.append(Example("q0", "Question 0?", 0, choices=("option k", "Option K")))
    report = lint_examples(examples)
    order = ["error", "warning", "info"]
    ranks = [order.index(finding.severity) for finding in report.findings]
    assert ranks == sorted(ranks)
    assert report.worst == "error"
    text = report.to_json()
    assert json.loads(json.dumps(text, allow_nan=False)) == text
    for finding in report.findings:
        assert finding.fix
        assert finding.message


def test_lint_reads_a_stream_once_in_bounded_memory():
    def stream(n):
        for index in range(n):
            yield Example(f"q{index}", f"A question of some length {index}? " * 20, f"a{index}")

    tracemalloc.start()
    lint_examples(stream(2_000))
    _, small = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    lint_examples(stream(12_000))
    _, large = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The prompts alone are 700 bytes a row.
    assert (large - small) / 10_000 < 300


def test_options_that_refer_to_others_are_found():
    plain = quizzes([0, 1, 2])
    assert not found_any(plain, "referring-choices")
    referring = Example("x", "Which?", 3, choices=("aa", "bb", "cc", "All of the above"))
    finding = found([*plain, referring], "referring-choices")
    assert (finding.severity, finding.count, finding.rows) == ("warning", 1, (4,))
    assert "not shuffled" in finding.message
