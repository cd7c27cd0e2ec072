"""What the model is shown: choices, shots, the system message and the prefill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

import proctor
from proctor.evaluators.context import Progress
from proctor.evaluators.prompts import FewShot, PromptStyle, choose_shots
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


class Referring(proctor.Dataset):
    """Questions of which every second one has an option that refers to others."""

    n: int = 20

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            last = "Both A and B" if number % 2 else "wrong w"
            yield proctor.Example(
                id=f"c{number}",
                input=f"Which is <{number}>?",
                choices=("wrong x", "wrong y", "wrong z", last),
                target=3,
            )


async def test_options_that_refer_to_each_other_keep_their_order(new_records: Any) -> None:
    warnings: list[str] = []

    class Heard(Progress):
        def warn(self, evaluator: str, message: str) -> None:
            warnings.append(message)

    client = ScriptedClient(lambda prompt, _: "A")
    for shuffles, kept in ((True, 10), (False, None)):
        records = new_records()
        context = proctor.EvaluationContext.for_client(client, sink=records, progress=Heard())
        evaluator = proctor.GradedEvaluator(
            name="c",
            dataset=Referring(),
            graders=[Letter()],
            renderer="role_colon",
            shuffle_choices=shuffles,
        )
        result = await evaluator.evaluate(client, context)
        assert result.details.get("rows_not_shuffled") == kept
        orders = {record["example"]: record["choice_order"] for record in records.samples}
        assert all(orders[f"c{number}"] == [0, 1, 2, 3] for number in range(1, 20, 2))
        shuffled = [orders[f"c{number}"] != [0, 1, 2, 3] for number in range(0, 20, 2)]
        assert any(shuffled) == shuffles
    assert warnings == ["10 rows were not shuffled: an option refers to others"]


def _question(name: str, *choices: str) -> proctor.Example:
    return proctor.Example(id=name, input="Which is true?", choices=choices, target=0)


class Listed(proctor.Dataset):
    """Examples as they are given."""

    listed: list[proctor.Example]

    def examples(self) -> Iterator[proctor.Example]:
        return iter(self.listed)


def test_one_stem_with_other_options_is_another_question() -> None:
    shots = [_question("s1", "cats purr", "cats bark"), _question("s2", "dogs bark", "dogs purr")]
    few_shot = FewShot(dataset=Listed(listed=shots), n=2)
    chosen = choose_shots(few_shot, 0)
    assert len(chosen) == 2
    style = PromptStyle(shots=chosen, n=2)
    row = _question("r", "cows moo", "cows purr")
    assert len(style.messages(style.present(row)[0])) == 5
    hidden = PromptStyle(shots=chosen, n=2, shows_choices=False)
    answers = [m["content"] for m in hidden.messages(row) if m["role"] == "assistant"]
    assert sorted(answers) == ["cats purr", "dogs bark"]


@pytest.mark.parametrize("shows_choices", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_question_is_its_own_shot_in_whatever_order_its_options_stand(
    seed: int, shows_choices: bool
) -> None:
    shots = (_question("s1", "cats purr", "cats  bark"), _question("s2", "a", "b"))
    style = PromptStyle(shots=shots, n=2, seed=seed, shows_choices=shows_choices)
    row = _question("r", "cats bark", "cats purr")
    with pytest.raises(proctor.DatasetError, match="one of its own 2 shots"):
        style.messages(style.present(row)[0])


@given(st.lists(st.sampled_from(["x", "y", "z", " x"]), min_size=2, max_size=8), st.data())
def test_every_equal_option_is_right_wherever_it_is_shown(choices: list[str], data: Any) -> None:
    target = data.draw(st.integers(0, len(choices) - 1))
    example = proctor.Example(id="e", input="Q", choices=tuple(choices), target=target)
    shown, order = PromptStyle(seed=data.draw(st.integers(0, 9))).present(example)
    assert order is not None
    assert shown.letter in shown.letters
    right = choices[target].strip()
    assert [order[index] for index in shown.right_choices] == [
        index for index in order if choices[index].strip() == right
    ]
    assert {shown.choices[ord(letter) - 65].strip() for letter in shown.letters} == {right}
    assert len(shown.letters) == [choice.strip() for choice in choices].count(right)


def test_without_choices_there_are_no_letters() -> None:
    example = proctor.Example(id="e", input="Q", target="A")
    assert (example.right_choices, example.letters) == ([], [])
    assert proctor.Example(id="e", input="Q", choices=("a", "b")).letters == []


CAT, DOG = "data:image/gif,GIF89a%20cat", "data:image/gif,GIF89a%20dog"


def _seen(name: str, image: Any) -> proctor.Example:
    parts: Any = [{"type": "text", "text": "What is it?"}, {"type": "image", "image": image}]
    asked: Any = [{"role": "user", "content": parts}]
    return proctor.Example(id=name, input=asked, choices=("a cat", "a dog"), target=0)


def test_an_image_stays_in_a_multiple_choice_question() -> None:
    """It was dropped, and the question asked without it."""
    (asked,) = PromptStyle(shuffle_choices=False).messages(_seen("r", CAT))
    (question, image, options) = asked["content"]
    assert (question["text"], image) == ("What is it?", {"type": "image", "image": CAT})
    assert options["text"].startswith("\n\nA) a cat\nB) a dog\n\n")


def test_questions_of_different_images_are_different() -> None:
    shots = [_seen("s1", CAT), _seen("s2", DOG), _seen("s3", b"GIF89a cat")]
    with pytest.raises(proctor.DatasetError, match="3 shots, and there are 2 different"):
        choose_shots(FewShot(dataset=Listed(listed=shots), n=3), 0)
    assert len(choose_shots(FewShot(dataset=Listed(listed=shots), n=2), 0)) == 2
