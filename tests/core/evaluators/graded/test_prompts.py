"""What the model is shown: choices, shots, the system message and the prefill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import proctor
from proctor.sampling.budget import RequestBudget
from proctor.testing import Reply, ScriptedClient


class Choices(proctor.Dataset):
    """Multiple choice questions whose right option always stands first."""

    n: int = 200

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            yield proctor.Example(
                id=f"c{number}",
                input=f"Which is <{number}>?",
                choices=(f"right {number}", "wrong x", "wrong y", "wrong z"),
                target=0,
            )


class Letter(proctor.Grader):
    """Correct when the answer is the letter."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return sample.text.strip() == example.letter


async def test_choices_are_shuffled_by_the_examples_id_and_the_order_is_recorded(
    new_records: Any,
) -> None:
    """Story 7: gold answers were all A."""

    def evaluate_choices(**options: Any) -> Any:
        client = ScriptedClient(lambda prompt, _: re.findall(r"([A-D])\) right", prompt)[-1])
        records = new_records()
        context = proctor.EvaluationContext.for_client(client, sink=records)
        choices = proctor.GradedEvaluator(
            name="c", dataset=Choices(), graders=[Letter()], renderer="role_colon", **options
        )
        return choices.evaluate(client, context), records, client

    running, records, client = evaluate_choices()
    result = await running
    assert result.metrics["c/score"] == 1.0
    positions = [record["target"] for record in records.samples]
    assert all(30 <= positions.count(letter) <= 70 for letter in range(4))
    for record in records.samples:
        assert record["choice_order"][record["target"]] == 0
        assert record["choices"][record["target"]].startswith("right")
    running, again, _ = evaluate_choices()
    await running
    assert {r["example"]: r["choice_order"] for r in again.samples} == {
        r["example"]: r["choice_order"] for r in records.samples
    }
    running, unshuffled, client = evaluate_choices(shuffle_choices=False, limit=3)
    await running
    assert {record["target"] for record in unshuffled.samples} == {0}
    assert "A) right" in client.prompts[0]


async def test_few_shot_never_shows_the_question_itself(
    number_questions: Any, evaluator: Any
) -> None:
    shots = {"dataset": number_questions(n=5), "n": 4}
    client = ScriptedClient(lambda prompt, _: "x")
    context = proctor.EvaluationContext.for_client(client)
    await evaluator(5, few_shot=shots).evaluate(client, context)
    assert len(client.prompts) == 5
    for prompt in client.prompts:
        numbers = re.findall(r"Say <(\d+)>", prompt)
        assert len(numbers) == len(set(numbers)) == 5
        assert len(re.findall(r"Assistant: <\d+>", prompt)) == 4


async def test_few_shot_is_seeded_and_too_many_are_an_error(
    number_questions: Any, evaluator: Any
) -> None:
    async def ask(seed: int, n: int = 2) -> list[str]:
        client = ScriptedClient(lambda *_: "x")
        context = proctor.EvaluationContext.for_client(client, seed=seed, budget=RequestBudget(1))
        shots = {"dataset": number_questions(n=40), "n": n}
        await evaluator(3, few_shot=shots).evaluate(client, context)
        return client.prompts

    assert await ask(1) == await ask(1)
    assert await ask(1) != await ask(2)
    with pytest.raises(proctor.DatasetError, match="asks for 41 shots"):
        await ask(1, n=41)


async def test_system_and_prefill(evaluate: Any) -> None:
    _, records, client = await evaluate(
        lambda *_: " Paris.", n=1, options={"system": "Be brief.", "prefill": "It is"}
    )
    assert client.prompts[0].startswith("System: Be brief.")
    assert client.prompts[0].endswith("Assistant: It is")
    assert records.samples[0]["messages"][-1]["content"] == "It is Paris."


async def test_a_tasks_own_stop_string_is_a_clean_end(evaluate: Any, asked: Any) -> None:
    result, records, client = await evaluate(
        lambda prompt, _: Reply(f"<{asked(prompt)}>\n###", ends=False),
        n=2,
        sampling=proctor.SamplingOptions(stop=("\n###",)),
    )
    assert client.parameters[0].stop == ["\n\nUser:", "\n###"]
    assert result.metrics["numbers/score"] == 1.0
    assert records.samples[0]["messages"][-1]["content"] == "<0>"
