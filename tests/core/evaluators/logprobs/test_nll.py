"""Nats a token and bits a byte against a client whose values are known."""

from __future__ import annotations

import math
from typing import Any

import pytest

import proctor


def by_hand(client: Any, rows: list[proctor.Example]) -> list[tuple[float, int, float, int]]:
    """Nats, tokens, nats of the text and bytes, from the requests' own tokens."""
    sums = []
    for example in rows:
        question = f"User: Question {example.id[1:]}?\n\nAssistant:"
        (tokens,) = [t for t in client.asked if question in client.tokenizer.decode(t)]
        start = len(client.tokenizer.encode(question, add_special_tokens=False))
        start += client.tokenizer.decode(tokens).index(question)
        values = [client.of(token, i) for i, token in enumerate(tokens)][start:]
        target = example.targets[0]
        text = values[: len(f" {target}".encode())]
        sums.append((-sum(values), len(values), -sum(text), len(target.encode())))
    return sums


async def test_nats_per_token_and_bits_per_byte_by_hand(
    likelihoods: Any, nll: Any, question_rows: Any
) -> None:
    client = likelihoods()
    metrics = await nll()(client)
    sums = by_hand(client, question_rows)
    # " Paris\n\nUser:" and so on: the target, and the end of the turn
    assert [n for _, n, _, _ in sums] == [len(f" {r.targets[0]}\n\nUser:") for r in question_rows]
    nats = sum(s[0] for s in sums) / sum(s[1] for s in sums)
    bits = sum(s[2] for s in sums) / math.log(2) / sum(s[3] for s in sums)
    assert metrics["nll/score"] == pytest.approx(nats)
    assert metrics["nll/nll/score"] == pytest.approx(nats)
    assert metrics["nll/bits_per_byte/score"] == pytest.approx(bits)
    assert metrics["nll/nll/n"] == 3
    assert metrics["nll/nll/ci_low"] < nats < metrics["nll/nll/ci_high"]


async def test_a_server_that_leaves_the_first_value_out_gives_the_same(
    nll: Any, likelihoods: Any
) -> None:
    assert await nll()(likelihoods(leaves_first_out=True)) == await nll()(likelihoods())


async def test_values_that_are_shifted_by_one_are_other_numbers(nll: Any, likelihoods: Any) -> None:
    """What a wrong alignment would give is not what is given."""
    right, shifted = await nll()(likelihoods()), await nll()(likelihoods(shift=1))
    assert abs(right["nll/score"] - shifted["nll/score"]) > 0.01


async def test_what_fails_is_missing_and_withholds_the_score(likelihoods: Any, nll: Any) -> None:
    client = likelihoods()
    client.failing = {"Question 1": ValueError("the server said no")}
    metrics = await nll()(client)
    assert "nll/score" not in metrics
    assert metrics["nll/nll/failed"] == 1
    assert metrics["nll/nll/coverage"] == pytest.approx(2 / 3)
    metrics = await nll(min_coverage=0.5)(client)
    assert "nll/score" in metrics


async def test_the_missing_are_in_no_sum(likelihoods: Any, nll: Any, question_rows: Any) -> None:
    client = likelihoods()
    client.failing = {"Question 1": [None, -1.0]}
    partial = await nll(min_coverage=0.5)(client)
    alone = await nll([question_rows[0], question_rows[2]])(likelihoods())
    assert partial["nll/score"] == alone["nll/score"]
    assert partial["nll/bits_per_byte/score"] == alone["nll/bits_per_byte/score"]


async def test_a_text_beyond_the_context_is_never_sent(likelihoods: Any, nll: Any) -> None:
    client = likelihoods()
    identity = proctor.ModelIdentity(backend="x", base_model="m", session="s", context_length=50)
    context = proctor.EvaluationContext(identity=identity, tokenizer=client.tokenizer)
    result = await nll().evaluate(client, context)
    assert result.metrics["nll/nll/failed"] == 1
    assert len(client.asked) == 2


async def test_groups(row: Any, nll: Any, likelihoods: Any) -> None:
    rows = [
        row(0, "Paris", metadata={"land": "F"}),
        row(1, "Berlin", metadata={"land": "D"}),
        row(2, "Lyon", metadata={"land": "F"}),
    ]
    metrics = await nll(rows, by=["metadata.land"])(likelihoods())
    alone = await nll([rows[0], rows[2]])(likelihoods())
    name = "nll/nll/metadata.land=F/score"
    assert metrics[name] == pytest.approx(alone["nll/score"])
    assert metrics["nll/nll/metadata.land=D/n"] == 1


async def test_a_target_that_the_model_rules_out_is_ungraded(
    likelihoods: Any, nll: Any, row: Any, question_rows: Any
) -> None:
    client = likelihoods()
    await nll([row(1, "Berlin")])(client)
    client.failing = {"Berlin": [-math.inf] * len(client.asked[0])}
    metrics = await nll([question_rows[0], row(1, "Berlin")], min_coverage=0.5)(client)
    assert (metrics["nll/nll/ungraded"], metrics["nll/nll/failed"]) == (1, 0)
    assert metrics["nll/score"] == (await nll([question_rows[0]])(likelihoods()))["nll/score"]
