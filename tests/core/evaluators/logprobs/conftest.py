"""The evaluators on log-probabilities, and a client whose values are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tinker

import proctor
from proctor.evaluators.choice_logprob import ChoiceLogprob
from proctor.evaluators.nll import NLL
from proctor.testing import ByteTokenizer


class Rows(proctor.Dataset):
    """Rows given in Python."""

    rows: list[proctor.Example]
    """The rows."""

    def examples(self) -> Iterator[proctor.Example]:
        return iter(self.rows)


class Likelihoods:
    """A client whose log-probabilities depend on each token and on where it stands.

    Attributes:
        asked: The tokens of each request.
    """

    def __init__(self, shift: int = 0, leaves_first_out: bool = False) -> None:
        self.tokenizer = ByteTokenizer()
        self.asked: list[list[int]] = []
        self.shift = shift
        self.leaves_first_out = leaves_first_out
        self.failing: dict[str, Any] = {}
        self.in_flight = 0
        self.most_in_flight = 0

    def get_tokenizer(self) -> ByteTokenizer:
        return self.tokenizer

    def sample(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is sampled")

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        tokens = prompt.to_ints()
        self.asked.append(tokens)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0.001)
        self.in_flight -= 1
        text = self.tokenizer.decode(tokens)
        for part, problem in self.failing.items():
            if part in text:
                if isinstance(problem, BaseException):
                    raise problem
                return problem
        values = [self.of(token, index) for index, token in enumerate(tokens)]
        values = values[self.shift :] + values[: self.shift]
        return values[1:] if self.leaves_first_out else [None, *values[1:]]

    @staticmethod
    def of(token: int, index: int) -> float:
        return -((token * 7 + index * 3) % 11) / 10


class Preferring(Likelihoods):
    """A client that gives each text a log-probability a byte."""

    def __init__(self, of_text: dict[str, float]) -> None:
        super().__init__()
        self.of_text = of_text

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        tokens = prompt.to_ints()
        self.asked.append(tokens)
        text = str(self.tokenizer.decode(tokens))
        answer = text.rsplit("Assistant:", 1)[1]
        option = answer.removesuffix("\n\nUser:").strip()
        values: list[float | None] = [-9.0] * len(tokens)
        start = len(tokens) - len(answer.encode())
        spaced = len(option.encode()) + 1
        for offset in range(spaced):
            values[start + offset] = self.of_text[option] / spaced
        values[0] = None
        return values


def _row(number: int, target: str, **more: Any) -> proctor.Example:
    return proctor.Example(id=f"q{number}", input=f"Question {number}?", target=target, **more)


ROWS = [_row(0, "Paris"), _row(1, "Berlin, on the Spree"), _row(2, "Rome")]


CHOICES = [
    proctor.Example(id=f"c{n}", input=f"Question {n}?", choices=("a", "bb", "ccc"), target=n % 3)
    for n in range(9)
]


def _nll(rows: list[proctor.Example] = ROWS, **options: Any) -> NLL:
    return NLL(dataset=Rows(rows=rows), renderer="role_colon", **options)


def _choice(rows: list[proctor.Example] = CHOICES, **options: Any) -> ChoiceLogprob:
    return ChoiceLogprob(dataset=Rows(rows=rows), renderer="role_colon", **options)


@pytest.fixture
def likelihoods() -> type[Likelihoods]:
    """The class of the client whose values are known."""
    return Likelihoods


@pytest.fixture
def preferring() -> type[Preferring]:
    """The class of the client that prefers what it is told to."""
    return Preferring


@pytest.fixture
def dataset_of() -> type[Rows]:
    """Makes a dataset of ``rows``."""
    return Rows


@pytest.fixture
def row() -> Callable[..., proctor.Example]:
    """Makes a row of a question with a number and a target."""
    return _row


@pytest.fixture
def question_rows() -> list[proctor.Example]:
    """What ``nll`` is given unless it is told otherwise."""
    return ROWS


@pytest.fixture
def choice_rows() -> list[proctor.Example]:
    """What ``choice`` is given unless it is told otherwise."""
    return CHOICES


@pytest.fixture
def nll() -> Callable[..., NLL]:
    """Makes the evaluator ``nll``."""
    return _nll


@pytest.fixture
def choice() -> Callable[..., ChoiceLogprob]:
    """Makes the evaluator ``choice_logprob``."""
    return _choice
