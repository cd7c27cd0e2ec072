"""The likeliest of the options against a client that prefers what it is told to."""

from __future__ import annotations

import math
from typing import Any

import pytest

import proctor


async def test_the_likeliest_option_plain_and_by_length(
    preferring: Any, choice: Any, choice_rows: Any
) -> None:
    # as sums "a" is the likeliest, a character "ccc" is: -1 / 1, -1.5 / 2, -1.8 / 3
    client = preferring({"a": -1.0, "bb": -1.5, "ccc": -1.8})
    metrics = await choice()(client)
    assert metrics["choice_logprob/score"] == metrics["choice_logprob/accuracy/score"]
    assert metrics["choice_logprob/accuracy/score"] == pytest.approx(1 / 3)
    assert metrics["choice_logprob/accuracy_normalized/score"] == pytest.approx(1 / 3)
    rows = [e for e in choice_rows if e.target == 0]
    metrics = await choice(rows)(client)
    assert metrics["choice_logprob/accuracy/score"] == 1.0
    assert metrics["choice_logprob/accuracy_normalized/score"] == 0.0


async def test_by_length_is_by_characters_or_by_bytes(preferring: Any, choice: Any) -> None:
    # -3.2 / 2 and -4 / 3 a character, -3.2 / 4 and -4 / 3 a byte
    rows = [proctor.Example("1", "?", target=1, choices=("żó", "abc"))]
    metrics = await choice(rows)(preferring({"żó": -3.2, "abc": -4.0}))
    assert metrics["choice_logprob/accuracy/score"] == 0.0
    assert metrics["choice_logprob/accuracy_normalized/score"] == 1.0
    assert metrics["choice_logprob/accuracy_per_byte/score"] == 0.0


async def test_the_options_are_not_shown(preferring: Any, choice: Any, choice_rows: Any) -> None:
    client = preferring({"a": -1.0, "bb": -1.5, "ccc": -1.8})
    await choice(choice_rows[:1])(client)
    texts = [client.tokenizer.decode(tokens) for tokens in client.asked]
    assert len(texts) == 3
    assert sum("bb" in str(text) for text in texts) == 1


async def test_an_option_as_likely_as_the_right_one_makes_it_wrong(
    preferring: Any, choice: Any, choice_rows: Any
) -> None:
    client = preferring({"a": -1.0, "bb": -1.0, "ccc": -4.0})
    metrics = await choice([e for e in choice_rows if e.target == 0])(client)
    assert metrics["choice_logprob/accuracy/score"] == 0.0


async def test_an_option_that_the_model_rules_out_loses(
    preferring: Any, choice: Any, choice_rows: Any
) -> None:
    client = preferring({"a": -1.0, "bb": -math.inf, "ccc": -4.0})
    metrics = await choice([e for e in choice_rows if e.target == 0])(client)
    assert metrics["choice_logprob/accuracy/score"] == 1.0
    metrics = await choice([e for e in choice_rows if e.target == 1])(client)
    assert metrics["choice_logprob/accuracy/score"] == 0.0


async def test_one_option_that_fails_makes_the_example_missing(
    likelihoods: Any, choice: Any
) -> None:
    client = likelihoods()
    client.failing = {"Assistant: bb": ValueError("gone")}
    metrics = await choice()(client)
    assert metrics["choice_logprob/accuracy/failed"] == 9
    assert "choice_logprob/score" not in metrics


async def test_shots_are_answered_with_a_text(
    dataset_of: Any, choice_rows: Any, preferring: Any, choice: Any
) -> None:
    shots = {"dataset": dataset_of(rows=choice_rows[4:5]), "n": 1}
    client = preferring({"a": -1.0, "bb": -1.5, "ccc": -1.8})
    await choice(choice_rows[:1], few_shot=shots)(client)
    text = str(client.tokenizer.decode(client.asked[0]))
    assert "User: Question 4?\n\nAssistant: bb\n\nUser: Question 0?" in text


async def test_either_of_two_equal_options_is_right(preferring: Any, choice: Any) -> None:
    client = preferring({"a": -1.0, "bb": -1.5, "ccc": -4.0})
    for choices, target, score in (
        (("a", "bb", "a"), 0, 1.0),
        (("a", "bb", "a"), 2, 1.0),
        (("a", "bb", "a"), 1, 0.0),
        (("a", "bb", "bb"), 2, 0.0),
    ):
        row = proctor.Example(id="e", input="Q", choices=choices, target=target)
        metrics = await choice([row])(client)
        assert metrics["choice_logprob/accuracy/score"] == score
