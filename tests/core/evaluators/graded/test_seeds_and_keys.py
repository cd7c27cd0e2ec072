"""Which requests are the same: keys, duplicate rows and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import proctor
from proctor.sampling.budget import RequestBudget
from proctor.testing import ScriptedClient


def keys(records: Any) -> dict[tuple[str, int], str]:
    return {(r["example"], r["index"]): r["key"] for r in records.samples}


async def test_a_samples_key_says_what_was_asked(new_records: Any, evaluator: Any) -> None:
    def script(prompt: str, index: int) -> Any:
        return "x"

    identity = proctor.ModelIdentity(backend="b", base_model="m", checkpoint="tinker://1")
    client = ScriptedClient(script)
    same: dict[str, Any] = {"identity": identity, "tokenizer": client.tokenizer}

    async def ask(**changes: Any) -> dict[tuple[str, int], str]:
        options = changes.pop("options", {})
        records = new_records()
        context = proctor.EvaluationContext(**{**same, "sink": records, **changes})
        await evaluator(3, **options).evaluate(client, context)
        return keys(records)

    first = await ask()
    assert await ask() == first
    assert len(set(first.values())) == 3
    more = await ask(options={"num_samples": 3})
    assert {k: v for k, v in more.items() if k[1] == 0} == first, "more samples keep the first"
    other = proctor.ModelIdentity(backend="b", base_model="m", checkpoint="tinker://2")
    different = [
        await ask(identity=other),
        await ask(sampling=proctor.SamplingOptions(temperature=0.5)),
        await ask(sampling=proctor.SamplingOptions(max_tokens=7)),
        await ask(seed=5),
        await ask(options={"system": "Be brief."}),
        await ask(options={"prefill": "It"}),
    ]
    for changed in different:
        assert not set(changed.values()) & set(first.values())


async def test_duplicate_rows_stay_separate_rows(new_records: Any, contains: Any) -> None:
    """Story 7: duplicate rows merged and corrupted pass@k."""

    class Twice(proctor.Dataset):
        """One question, under three ids."""

        def examples(self) -> Iterator[proctor.Example]:
            for number in range(3):
                yield proctor.Example(id=f"row{number}", input="Say <1>.", target="<1>")

    calls = iter(["<1>", "no", "no"])
    records = new_records()
    client = ScriptedClient(lambda *_: next(calls))
    context = proctor.EvaluationContext.for_client(client, sink=records)
    twice = proctor.GradedEvaluator(
        name="twice", dataset=Twice(), graders=[contains()], renderer="role_colon"
    )
    result = await twice.evaluate(client, context)
    assert result.metrics["twice/Contains/n"] == 3
    assert result.metrics["twice/score"] == pytest.approx(1 / 3)
    assert len({record["key"] for record in records.samples}) == 3
    seeds = [p.seed for p in client.parameters]
    assert len(set(seeds)) == 3, "equal prompts may not get equal seeds"


async def test_a_seed_that_does_not_cover_samples_is_left_out_for_several(evaluate: Any) -> None:
    for covers in (True, False):
        client = ScriptedClient(lambda *_: "x")
        await evaluate(
            lambda *_: "x",
            n=2,
            client=client,
            seed_covers_samples=covers,
            options={"num_samples": 2},
        )
        assert all((p.seed is not None) is covers for p in client.parameters)


async def test_the_same_seed_gives_the_same_requests(evaluator: Any) -> None:
    async def ask(seed: int) -> list[tuple[str, int | None]]:
        client = ScriptedClient(lambda *_: "x")
        identity = proctor.ModelIdentity(backend="b", base_model="m", digest="d")
        context = proctor.EvaluationContext(
            identity=identity, tokenizer=client.tokenizer, seed=seed, budget=RequestBudget(1)
        )
        await evaluator(30, limit=10).evaluate(client, context)
        return list(zip(client.prompts, [p.seed for p in client.parameters], strict=True))

    assert await ask(1) == await ask(1)
    assert await ask(1) != await ask(2)
