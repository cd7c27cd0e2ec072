"""Evaluators composed in Python, called with a client alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import proctor
from proctor.testing import ScriptedClient


async def test_two_graders_of_one_kind_have_names_of_their_own(
    evaluate: Any, contains: Any
) -> None:
    result, _, _ = await evaluate(
        lambda *_: "x", n=2, options={"graders": [contains(), contains()]}
    )
    assert {"numbers/Contains/score", "numbers/Contains-2/score"} <= set(result.metrics)


async def test_an_evaluator_is_called_with_nothing_but_a_client(evaluator: Any, asked: Any) -> None:
    metrics = await evaluator(4)(ScriptedClient(lambda prompt, _: f"<{asked(prompt)}>"))
    assert metrics["numbers/score"] == 1.0
    assert all(isinstance(value, float) for value in metrics.values())


async def test_an_evaluator_is_composed_in_python_from_functions(
    number_questions: Any, asked: Any
) -> None:
    def has_target(response: str, target: str) -> bool:
        return target in response

    composed = proctor.GradedEvaluator(
        name="numbers", dataset=number_questions(n=3), graders=[has_target], renderer="role_colon"
    )
    metrics = await composed(ScriptedClient(lambda prompt, _: f"<{asked(prompt)}>"))
    assert metrics["numbers/has_target/score"] == 1.0


async def test_a_function_is_called_for_each_target_and_any_true_counts() -> None:
    class Several(proctor.Dataset):
        """One question with several right answers."""

        def examples(self) -> Iterator[proctor.Example]:
            yield proctor.Example(id="a", input="Say <1>.", target=["one", "<1>"])

    seen: list[str] = []

    def has_target(response: str, target: str) -> bool:
        seen.append(target)
        return target in response

    composed = proctor.GradedEvaluator(
        name="n", dataset=Several(), graders=[has_target], renderer="role_colon"
    )
    assert (await composed(ScriptedClient(lambda *_: "<1>")))["n/score"] == 1.0
    assert seen == ["one", "<1>"]
