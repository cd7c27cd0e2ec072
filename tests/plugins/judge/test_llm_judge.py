"""The judge as a grader: rubrics, votes, second tries, and what is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

import proctor
from proctor import BackendError, ConfigError, Example, Outcome, SamplingOptions
from proctor.testing import check_grader
from proctor_judge.llm_judge import LLMJudge

QUESTION = Example("italy", "What is the capital of Italy?", "Rome")
RIGHT = "Rome is Rome.\nVERDICT: CORRECT"
WRONG = "That is Milan.\nVERDICT: INCORRECT"


def test_a_verdict_is_a_grade_with_the_judges_words(judged):
    grading, _ = judged(RIGHT)
    assert grading.grade.value == 1.0
    assert grading.grade.explanation == RIGHT
    grading, _ = judged(WRONG, "Milan")
    assert grading.grade.value == 0.0


def test_the_judge_sees_question_target_and_answer(judged):
    _, chat = judged(RIGHT, "It is Rome, I think.")
    [prompt] = chat.prompts
    assert "What is the capital of Italy?" in prompt
    assert "\nRome\n" in prompt
    assert "\nIt is Rome, I think.\n" in prompt
    assert prompt.endswith("VERDICT: INCORRECT or CORRECT")


def test_several_targets_are_all_shown(judged):
    example = Example("uk", "Name?", ["Britain", "the UK"])
    _, chat = judged(RIGHT, example=example)
    assert "- Britain\n- the UK" in chat.prompts[0]


PICTURE = {"type": "image", "image": b"GIF89a"}


@pytest.mark.parametrize("is_conversation", [False, True])
def test_the_judge_is_told_of_an_image_that_it_can_t_see(judged, is_conversation):
    asked = proctor.Message(role="user", content=[PICTURE, {"type": "text", "text": "Which?"}])
    messages = [proctor.Message(role="system", content="Look."), asked]
    example = Example("seen", messages if is_conversation else [asked], "Rome")
    _, chat = judged(RIGHT, example=example)
    assert f"{proctor.read_image(b'GIF89a').label}Which?" in chat.prompts[0]


def test_everything_is_kept(judged):
    grading, _ = judged(RIGHT)
    metadata = grading.grade.metadata
    assert metadata["judge"] == "scripted:judge:judge-1"
    [call] = metadata["calls"]
    assert call["reply"] == RIGHT
    assert "capital of Italy" in call["prompt"]
    assert (call["prompt_tokens"], call["tokens"], call["seconds"]) == (50, 5, 0.25)
    assert call["verdict"] == {"VERDICT": "CORRECT"}
    json.dumps(metadata)


# Story 3: a judge's unreadable verdict counted as wrong, elsewhere as right


def test_an_unreadable_verdict_gets_one_more_try_that_says_what_was_wrong(judged):
    replies = iter(["Rome, of course!", RIGHT])
    grading, chat = judged(lambda *_: next(replies))
    assert grading.grade.value == 1.0
    assert [call["attempt"] for call in grading.grade.metadata["calls"]] == [1, 2]
    again = chat.asked[-1]
    assert [message["role"] for message in again] == ["user", "assistant", "user"]
    assert again[1]["content"] == "Rome, of course!"
    assert "there is no line 'VERDICT: ...'" in again[2]["content"]


def test_after_a_second_unreadable_verdict_there_is_no_grade(judged):
    grading, chat = judged("Rome, of course!")
    assert grading.outcome is Outcome.UNGRADED
    assert grading.grade is None
    assert "can't be read" in grading.reason
    assert [call["reply"] for call in grading.metadata["calls"]] == ["Rome, of course!"] * 2
    assert len(chat.prompts) == 2


@pytest.mark.parametrize("status", ["truncated", "malformed"])
def test_a_reply_without_an_end_is_no_verdict(judged, status):
    """The line that was reached is no verdict: the judge might have gone on to take it back."""
    grading, _ = judged((RIGHT, status))
    assert grading.outcome is Outcome.UNGRADED
    assert status in grading.reason


def test_a_request_that_fails_is_no_verdict_and_asked_once(judged):
    grading, chat = judged(("no answer within 120 s", "failed"))
    assert grading.outcome is Outcome.UNGRADED
    assert "no answer within 120 s" in grading.reason
    assert len(chat.prompts) == 1


def test_the_model_under_evaluation_judges_only_where_the_config_says_so(judge_with, scripted):
    """Elsewhere a judge that was not found fell back to the model grading itself."""
    grader, _ = judge_with(WRONG)
    grader.connect(scripted.judge(lambda *_: RIGHT))
    assert scripted.grade(grader, [(QUESTION, "Milan")])[0].grade.value == 0.0

    own = LLMJudge(judge="self")
    assert scripted.grade(own, [(QUESTION, "Milan")])[0].outcome is Outcome.UNGRADED
    model = scripted.judge(lambda *_: RIGHT)
    model.asked.append([])  # there is no greeting: the model was sampled already
    own.connect(model)
    assert scripted.grade(own, [(QUESTION, "Milan")])[0].grade.value == 1.0


# Rubrics


def test_a_scale_with_anchors(judged):
    rubric = {"kind": "scale", "low": 1, "high": 7, "anchors": {1: "useless", 7: "perfect"}}
    grading, chat = judged("Fine.\nVERDICT: 6", rubric=rubric)
    assert grading.grade.value == 6.0
    assert "1: useless\n7: perfect" in chat.prompts[0]
    assert "Rome\n" not in chat.prompts[0].replace("It is Rome.\n", "")
    assert LLMJudge(judge="self", rubric=rubric).scale() == (1.0, 7.0)


def test_criteria_are_weighted_and_each_is_kept(judged):
    rubric = {
        "kind": "criteria",
        "criteria": {
            "accuracy": {"description": "Is it true?", "weight": 3},
            "style": {"description": "Is it well put?"},
        },
    }
    grading, chat = judged("accuracy: 5\nstyle: 1", rubric=rubric)
    assert grading.grade.value == 4.0
    assert grading.grade.metadata["criteria"] == {"accuracy": 5.0, "style": 1.0}
    assert "accuracy: Is it true?" in chat.prompts[0]
    grading, _ = judged("accuracy: 5", rubric=rubric)
    assert grading.outcome is Outcome.UNGRADED


def by_position(first, second):
    """A judge of pairs that is told which verdict to give in which order."""

    def script(messages, _):
        prompt = messages[0]["content"]
        is_first = prompt.index("It is Rome.") < prompt.index("\nRome\n")
        return f"VERDICT: {first if is_first else second}"

    return script


@pytest.mark.parametrize(
    ("first", "second", "value", "conflicts"),
    [
        ("A", "B", 1.0, 0),
        ("B", "A", 0.0, 0),
        ("TIE", "TIE", 0.5, 0),
        ("A", "TIE", 0.75, 0),
        ("A", "A", 0.5, 1),
        ("B", "B", 0.5, 1),
    ],
)
def test_pairs_are_judged_in_both_orders(judged, first, second, value, conflicts):
    grading, chat = judged(by_position(first, second), rubric="pairwise")
    assert grading.grade.value == value
    assert grading.grade.metadata.get("conflicts", 0) == conflicts
    assert len(chat.prompts) == 2


def test_a_pair_needs_both_orders(judged):
    grading, _ = judged(by_position("A", "neither"), rubric="pairwise")
    assert grading.outcome is Outcome.UNGRADED


def test_a_template_of_ones_own(judged):
    template = "Q {question}\nA {answer}\nDoubled {{answer}}\n{format}"
    _, chat = judged(RIGHT, rubric={"template": template})
    assert chat.prompts[0].startswith("Q <question ")
    assert "Doubled {answer}\n" in chat.prompts[0]


def test_a_placeholder_inside_a_text_stays_what_it_is(judged):
    example = Example("a", "What does {answer} mean, or {target}?", "a {question}")
    _, chat = judged(RIGHT, "an {ask}", example=example)
    assert "What does {answer} mean, or {target}?" in chat.prompts[0]
    assert "\na {question}\n" in chat.prompts[0]
    assert "\nan {ask}\n" in chat.prompts[0]


def test_a_judge_that_can_be_held_to_a_schema_is(judged):
    grading, chat = judged('{"reason": "yes", "VERDICT": "CORRECT"}', takes_schema=True)
    assert grading.grade.value == 1.0
    assert chat.schemas[-1]["properties"]["VERDICT"] == {"enum": ["INCORRECT", "CORRECT"]}
    grading, _ = judged(RIGHT, takes_schema=True)
    assert grading.outcome is Outcome.UNGRADED


# Votes


def voting(*replies):
    remaining = list(replies)
    return lambda *_: remaining.pop(0)


def test_the_majority_decides_and_disagreement_is_reported(judged):
    grading, chat = judged(voting(RIGHT, WRONG, RIGHT), votes=3, concurrency=1)
    assert grading.grade.value == 1.0
    assert grading.grade.metadata["agreement"] == pytest.approx(2 / 3)
    assert grading.grade.explanation == RIGHT
    seeds = [sampling.seed for sampling in chat.sampling[1:]]
    assert len(set(seeds)) == 3
    assert all(sampling.temperature > 0 for sampling in chat.sampling[1:])


def test_the_mean_of_numbers_is_taken(judged):
    replies = voting("VERDICT: 2", "VERDICT: 5")
    grading, _ = judged(replies, votes=2, rubric="scale", concurrency=1)
    assert grading.grade.value == 3.5
    assert grading.grade.metadata["votes"] == [2.0, 5.0]


def test_unreadable_votes_are_no_votes(judged):
    replies = voting(WRONG, "what?", WRONG, "what?")
    grading, _ = judged(replies, votes=3, concurrency=1)
    assert grading.grade.value == 0.0
    grading, _ = judged(voting(RIGHT, "?", WRONG, "?"), votes=3, concurrency=1)
    assert grading.outcome is Outcome.UNGRADED
    assert "tie" in grading.reason


def test_the_same_answer_is_judged_with_the_same_seed(judged):
    _, first = judged(RIGHT)
    _, second = judged(RIGHT)
    assert first.sampling[1].seed == second.sampling[1].seed


def test_its_requests_never_exceed_its_concurrency(judge_with, scripted):
    grader, chat = judge_with(RIGHT, votes=3, concurrency=4)
    answers = [(Example(str(n), "?", "Rome"), "Rome") for n in range(20)]
    assert all(g.grade.value == 1.0 for g in scripted.grade(grader, answers))
    assert chat.most_in_flight == 4


# What a run says of its judge


def test_cost_and_parse_failures_are_metrics_and_notes(judge_with):
    replies = iter([RIGHT, "what?", "what?", "hm", WRONG])
    grader, _ = judge_with(lambda *_: next(replies), concurrency=1)
    tally = grader.tally()
    ledger = proctor.Ledger([proctor.LedgerColumn("llm_judge", proportion=True)])
    answers = [(Example(str(n), "?", "Rome"), "Rome") for n in range(3)]
    for grading in [g for a in answers for g in grade_with_open(grader, [a])]:
        tally.add(grading)
        value = grading.grade.value if grading.grade else None
        ledger.record(ledger.add_example(), 0, "llm_judge", grading.outcome, value)
    metrics = tally.metrics(ledger.estimate("llm_judge"))
    assert metrics["judge_requests"] == 5
    assert metrics["judge_prompt_tokens"] == 250
    assert metrics["judge_tokens"] == 25
    assert metrics["unreadable_first_tries"] == 2
    assert metrics["without_verdict"] == 1
    notes = "\n".join(tally.notes(ledger.estimate("llm_judge")))
    assert "no readable verdict in 2 of 3 first tries" in notes
    assert "none in the end for 1 of 3 answers" in notes


def grade_with_open(grader, answers):
    """Grades without the greeting of a second opening."""
    grader._chat = grader._chat or grader.judge.chat
    if not grader.judge.chat.asked:
        grader.judge.chat.asked.append([])

    async def run():
        from proctor.testing import make_sample

        return await proctor.grade_pairs(grader, [(e, make_sample(e, a)) for e, a in answers])

    return asyncio.run(run())


def test_the_corrected_score_stands_beside_the_raw_one(judge_with, tmp_path, scripted):
    file = tmp_path / "calibration.json"
    grader, _ = judge_with(RIGHT, calibration=file)
    counts = {"true_positives": 90, "false_negatives": 10, "true_negatives": 70}
    document = {"format": 1, **counts, "false_positives": 30, "unreadable": 0}
    file.write_text(json.dumps(document | {"judge": grader.judge_fingerprint()}))
    answers = [(Example(str(n), "?", "Rome"), "Rome") for n in range(10)]
    gradings = scripted.grade(grader, answers)
    tally = grader.tally()
    ledger = proctor.Ledger([proctor.LedgerColumn("llm_judge", proportion=True)])
    for grading in gradings:
        tally.add(grading)
        ledger.record(ledger.add_example(), 0, "llm_judge", grading.outcome, 1.0)
    metrics = tally.metrics(ledger.estimate("llm_judge"))
    assert metrics["corrected_score"] == 1.0
    assert metrics["corrected_ci_low"] < 1.0
    assert (
        "corrected for the judge's errors: 1.000" in tally.notes(ledger.estimate("llm_judge"))[-1]
    )


def test_another_judges_calibration_is_refused(judge_with, tmp_path):
    file = tmp_path / "calibration.json"
    grader, _ = judge_with(RIGHT, calibration=file)
    with pytest.raises(ConfigError, match="can't read the calibration"):
        asyncio.run(grader.open())
    counts = {"true_positives": 9, "false_negatives": 1, "true_negatives": 9}
    document = {"format": 1, **counts, "false_positives": 1, "unreadable": 0, "judge": "another"}
    file.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="another judge"):
        asyncio.run(grader.open())


# Bad input


def test_a_judge_that_cant_be_reached_is_said_before_anything_is_sampled(scripted):
    class Unreachable(scripted.judge):
        async def generate(self, messages, sampling, n=1, *, schema=None):
            reason = "connection refused"
            return [proctor.Sample("", 0, "failed", list(messages), [], error=reason)]

    grader = LLMJudge(judge=scripted.backend(chat=Unreachable(lambda *_: "")))
    with pytest.raises(BackendError, match="the judge gives no answer: connection refused"):
        asyncio.run(grader.open())


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"rubric": {"kind": "scale", "low": 5, "high": 1}}, "low is 5 and its high 1"),
        ({"rubric": {"kind": "scale", "low": 3, "high": 3}}, "low is 3"),
        ({"rubric": {"kind": "scale", "anchors": {9: "off"}}}, "not on the scale"),
        ({"rubric": {"template": "Is it right? {format}"}}, "no placeholder {answer}"),
        ({"rubric": {"template": "{answer} {anser}"}}, "{anser}, which nothing fills"),
        ({"rubric": {"kind": "criteria"}}, "that needs some"),
        ({"rubric": {"criteria": {"a": {"description": "b"}}}}, "go with kind: criteria"),
        ({"rubric": {"kind": "corectness"}}, "correctness"),
        ({"votes": 2}, "2 votes can tie"),
        ({"votes": 3, "sampling": {"temperature": 0}}, "every vote is the same"),
        ({"rubric": "scale", "calibration": "c.json"}, "only a judge that says right or wrong"),
        ({"judge": {"backend": "locl"}}, "did you mean 'local'|unknown backend"),
        ({"judge": None}, "judge"),
    ],
)
def test_mistakes_in_the_config_are_one_line(options, complaint):
    from proctor.components.build import build

    spec = {"type": "llm_judge", "judge": "self", **options}
    with pytest.raises(proctor.ProctorError, match=complaint) as refused:
        build("grader", spec)
    assert "\n" not in str(refused.value)


def test_an_example_without_a_target_is_met_before_sampling():
    with pytest.raises(proctor.DatasetError, match="has no target"):
        LLMJudge(judge="self").check_example(Example("a", "?"))
    LLMJudge(judge="self", rubric="scale").check_example(Example("a", "?"))


def test_the_judge_is_closed(judge_with, scripted):
    grader, chat = judge_with(RIGHT)
    scripted.grade(grader, [])
    assert chat.is_closed


def test_it_passes_the_self_test_of_graders(judge_with):
    """With a judge that compares the fenced texts, as a good one would."""

    def compares(messages, _):
        texts = messages[0]["content"].split("\n<")
        target = next(t for t in texts if t.startswith("target ")).split("\n", 1)[1]
        answer = next(t for t in texts if t.startswith("answer ")).split("\n", 1)[1]
        return f"VERDICT: {'CORRECT' if answer == target else 'INCORRECT'}"

    grader, _ = judge_with(compares)
    check_grader(grader, gold=lambda example: example.targets[0])


def test_fingerprints_tell_rubrics_and_judges_apart(judge_with):
    one, _ = judge_with(RIGHT)
    assert one.judge_fingerprint() != LLMJudge(judge="self").judge_fingerprint()
    scaled = LLMJudge(judge="self", rubric="scale").judge_fingerprint()
    assert scaled != LLMJudge(judge="self").judge_fingerprint()
    again = LLMJudge(judge="self", calibration=Path("x.json")).judge_fingerprint()
    assert again == LLMJudge(judge="self").judge_fingerprint()
    hot = LLMJudge(judge="self", sampling=SamplingOptions(temperature=1.0)).judge_fingerprint()
    assert hot != again
