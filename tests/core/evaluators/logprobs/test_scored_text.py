"""Which log-probabilities belong to which tokens, and where a text ends among them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from proctor.evaluators.scored_text import aligned_logprobs, text_length
from proctor.sampling.budget import RequestFailed
from proctor.testing import ByteTokenizer


def test_alignment() -> None:
    assert aligned_logprobs([None, -1.0, -2.0, -3.0], 2, 2) == [-2.0, -3.0]
    assert aligned_logprobs([-1.0, -2.0, -3.0], 2, 2) == [-2.0, -3.0]
    assert aligned_logprobs([-1.0, None, -2.0, 1e-6], 2, 2) == [-2.0, 1e-6]


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        [-1.0, -2.0],
        [-1.0] * 5,
        [None, -1.0, None, -3.0],
        [None, -1.0, math.nan, -3.0],
        [None, -1.0, 0.5, -3.0],
        [None, -1.0, "x", -3.0],
    ],
)
def test_values_that_are_none(given: Any) -> None:
    with pytest.raises(RequestFailed, match="the client gave"):
        aligned_logprobs(given, 2, 2)


def test_where_the_text_ends() -> None:
    tokenizer = ByteTokenizer()
    tokens = tokenizer.encode(" Zürich\n\nUser:", add_special_tokens=False)
    assert text_length("Zürich", tokens, tokenizer) == len(" Zürich".encode())
    tokens = tokenizer.encode("a Zürich \n", add_special_tokens=False)
    assert text_length("Zürich ", tokens, tokenizer) == len("a Zürich ".encode())
    assert text_length("Zürich  ", tokens, tokenizer) == len("a Zürich".encode())
    with pytest.raises(RequestFailed, match="not in what the renderer made of it"):
        text_length("Basel", tokens, tokenizer)
