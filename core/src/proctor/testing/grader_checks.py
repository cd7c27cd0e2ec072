"""The self-test of a grader: it knows right answers from the wrong ones that fool graders."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from proctor.components.build import build
from proctor.components.fingerprints import fingerprint
from proctor.grading.grader import Grader
from proctor.grading.stage import grade_pairs
from proctor.scoring.grades import GradedPair
from proctor.testing.samples import make_sample, run
from proctor.types import Example, Outcome, Sample, message_text

QUESTIONS = (
    Example("france", "What is the capital of France?", "Paris"),
    Example("germany", "What is the capital of Germany?", "Berlin"),
    Example("italy", "What is the capital of Italy?", "Rome"),
)
"""The examples that a grader is tried on where its test brings none."""

REFUSAL = "I'm sorry, but I can't help with that."

ODD_TEXTS = (
    "\x00",
    "\ud83d",
    "🏳️‍🌈é",
    "nan",
    "-inf",
    "1e999",
    "\\boxed{",
    "((((",
    "[[0]]",
    '{"grade":',
    "</answer>",
    "word " * 5_000,
)
"""Texts that parsers stumble over. What becomes of them is an outcome, whichever."""

RULES = {
    "gold": "the gold answer gets the best grade",
    "another gold": "the gold answer of another example does not",
    "empty text": "no text does not",
    "refusal": "a refusal does not",
    "echo": "the question, given back, does not",
    "unfinished thinking": "the gold answer inside unfinished thinking does not",
    "negated gold": "'not GOLD' does not",
    "odd text": "text that parsers stumble over becomes an outcome",
    "same grade": "the same answer gets the same grade, whatever was graded before it",
    "options": "grading changes no option",
}
"""The rules by name: what ``except_for`` takes."""


@dataclass(slots=True)
class _Trial:
    """An answer, the rule that it tries, and what became of it."""

    rule: str
    example: Example
    sample: Sample
    grading: GradedPair = field(default_factory=lambda: GradedPair(Outcome.UNGRADED))


def check_grader(
    grader: object,
    examples: Sequence[Example] = QUESTIONS,
    *,
    gold: Callable[[Example], str] | None = None,
    except_for: Mapping[str, str] | None = None,
) -> None:
    """Holds a grader to the rules in ``RULES``.

    Answers are graded as a run grades them: in batches, on a thread, exceptions and values outside
    the scale made outcomes.

    Args:
        grader: A grader, its class, its registered name, its mapping as in a config, or a plain
            function.
        examples: At least two, with different gold answers.
        gold: The text of a right answer; without it, the first target, or the letter of the right
            option. A grader that needs no target has to be given one.
        except_for: Rules that the grader by its nature can't keep, each with the reason. One that
            it does keep is an error, so that an exception goes when its reason does.

    Raises:
        AssertionError: It breaks a rule; the message names each with the answer that broke it.
        ValueError: The arguments make no test: an unknown rule, an exception without a reason, no
            gold answer, one example.
    """
    if isinstance(grader, type):
        grader = grader()
    built: Grader = build("grader", grader)
    excused = dict(except_for or {})
    unknown = set(excused) - (set(RULES) - {"gold"})
    if unknown:
        raise ValueError(f"no rule to except: {', '.join(sorted(unknown))}; rules: {_listed()}")
    if not all(reason.strip() for reason in excused.values()):
        raise ValueError("an exception needs its reason")
    trials = list(_trials(examples, _gold_answers(built, examples, gold)))
    broken = run(_broken_rules(built, trials))
    stale = sorted(rule for rule in excused if rule not in broken)
    lines = [
        f"{rule} ({RULES[rule]}): {case}"
        for rule, cases in broken.items()
        if rule not in excused
        for case in cases[:3]
    ]
    lines += [f"{rule} is excepted, and the rule is kept: drop it" for rule in stale]
    if lines:
        name = type(built).__name__
        raise AssertionError("\n  ".join([f"{name} breaks the rules of graders:", *lines]))


def _listed() -> str:
    return ", ".join(rule for rule in RULES if rule != "gold")


def _gold_answers(
    grader: Grader, examples: Sequence[Example], gold: Callable[[Example], str] | None
) -> list[str]:
    if gold is not None:
        answers = [gold(example) for example in examples]
    elif not grader.needs_target:
        raise ValueError("the grader needs no target: say with 'gold' what gets the best grade")
    else:
        answers = [example.letter or (example.targets or [""])[0] for example in examples]
    if not all(answers) or len(examples) < 2:
        raise ValueError("at least two examples are needed, each with a gold answer")
    if gold is None and len(set(answers)) == 1:
        raise ValueError("the examples need different gold answers")
    return answers


def _trials(examples: Sequence[Example], answers: Sequence[str]) -> Iterator[_Trial]:
    for example, answer in zip(examples, answers, strict=True):

        def trial(rule: str, text: str, example: Example = example) -> _Trial:
            return _Trial(rule, example, make_sample(example, text))

        yield trial("gold", answer)
        for other in answers:
            if other != answer:
                yield trial("another gold", other)
        yield trial("empty text", "")
        yield trial("empty text", " \n")
        yield trial("refusal", REFUSAL)
        yield trial("echo", message_text(example.messages[-1]))
        yield trial("negated gold", f"not {answer}")
        unfinished = make_sample(example, "", reasoning=answer, status="truncated")
        yield _Trial("unfinished thinking", example, unfinished)
        for text in ODD_TEXTS:
            yield trial("odd text", text)


async def _broken_rules(grader: Grader, trials: list[_Trial]) -> dict[str, list[str]]:
    """The answers that broke each rule, in the order of ``RULES``."""
    before = fingerprint(grader)
    await grader.open()
    try:
        pairs = [(trial.example, trial.sample) for trial in trials]
        first = await grade_pairs(grader, pairs)
        if grader.runs_in == "process":
            # a pool for each pair would take seconds; each process has other neighbours anyhow
            again = (await grade_pairs(grader, pairs[::-1]))[::-1]
        else:
            again = [(await grade_pairs(grader, [pair]))[0] for pair in reversed(pairs)][::-1]
    finally:
        await grader.close()
    broken: dict[str, list[str]] = {rule: [] for rule in RULES}
    for trial, one, other in zip(trials, first, again, strict=True):
        trial.grading = one
        if not _is_kept(grader, trial):
            broken[trial.rule].append(f"{_shown(trial)} {_result(one)}")
        if _key(one) != _key(other):
            broken["same grade"].append(f"{_shown(trial)} {_result(one)}, then {_result(other)}")
    if fingerprint(grader) != before:
        broken["options"].append("its fingerprint was another after grading")
    return {rule: cases for rule, cases in broken.items() if cases}


def _is_kept(grader: Grader, trial: _Trial) -> bool:
    grading = trial.grading
    is_graded = grading.outcome is Outcome.GRADED and grading.grade is not None
    if trial.rule == "odd text":
        return is_graded or grading.outcome is Outcome.UNGRADED
    if not is_graded:
        return trial.rule == "unfinished thinking"
    assert grading.grade is not None
    is_best = math.isclose(grading.grade.value, grader.scale()[1], abs_tol=1e-6)
    return is_best == (trial.rule == "gold")


def _key(grading: GradedPair) -> tuple[object, ...]:
    value = grading.grade.value if grading.grade else None
    return grading.outcome, None if value is None else round(value, 5), grading.answer


def _shown(trial: _Trial) -> str:
    text = trial.sample.text or trial.sample.reasoning
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return f"{shown!r} to {trial.example.id!r}"


def _result(grading: GradedPair) -> str:
    return f"got {grading.grade.value:g}" if grading.grade else f"is ungraded: {grading.reason}"
