"""A model in training whose answers get better, and evaluators for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import tinker

import proctor
from proctor.testing import Reply, ScriptedClient


class Numbers(proctor.Dataset):
    """Questions with a number in them; the target is the number. Even ones have a subject."""

    n: int = 10

    def examples(self) -> Iterator[proctor.Example]:
        for number in range(self.n):
            target, subject = f"<{number}>", {} if number % 2 else {"subject": "even"}
            yield proctor.Example(f"q{number}", f"Say {target}.", target, metadata=subject)


class Contains(proctor.Grader):
    """Correct when the answer holds the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        return example.targets[0] in sample.text


class TrainedModel:
    """A training client: after k updates its snapshots answer the first k questions.

    Attributes:
        updates: How many updates the weights have had.
        snapshots: The sampling client of each snapshot.
        seconds: How long an answer takes.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.updates = 0
        self.seconds = seconds
        self.snapshots: list[ScriptedClient] = []

    async def save_weights_and_get_sampling_client(self) -> ScriptedClient:
        client = self.client_of(self.updates)
        self.snapshots.append(client)
        return client

    def client_of(self, updates: int) -> ScriptedClient:
        def answer(prompt: str, index: int) -> Reply:
            number = int(re.findall(r"<(\d+)>", prompt)[-1])
            text = f"It is <{number}>." if number < updates else f"After {updates}: no idea."
            return Reply(text, seconds=self.seconds)

        return ScriptedClient(answer)

    def forward_backward(self) -> None:
        """What tells a training client from one that samples."""

    async def update(self) -> None:
        await asyncio.sleep(0)
        self.updates += 1


class Loss(proctor.TrainingClientEvaluator):
    """The loss of the model in training, as far as a test needs one."""

    async def __call__(self, training_client: Any) -> dict[str, float]:
        return {"loss": 10.0 - training_client.updates}


class Plain(proctor.SamplingClientEvaluator):
    """An evaluator as tinker's documentation has them: it knows nothing of Proctor."""

    def __init__(self, n: int = 6, script: Callable[[Any], Awaitable[Any]] | None = None) -> None:
        self.n = n
        self.script = script

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        if self.script is not None:
            await self.script(sampling_client)
        tokenizer = sampling_client.get_tokenizer()
        params = tinker.SamplingParams(max_tokens=32, temperature=0.0)
        right = 0
        for number in range(self.n):
            prompt = tinker.ModelInput.from_ints(tokenizer.encode(f"Say <{number}>."))
            response = await sampling_client.sample_async(
                prompt=prompt, num_samples=1, sampling_params=params
            )
            right += f"<{number}>" in tokenizer.decode(response.sequences[0].tokens)
        return {"accuracy": right / self.n}


@pytest.fixture
def model() -> TrainedModel:
    return TrainedModel()


@pytest.fixture
def new_model() -> type[TrainedModel]:
    return TrainedModel


@pytest.fixture
def numbers() -> Callable[..., proctor.GradedEvaluator]:
    """Makes graded evaluators of the questions."""

    def make(name: str = "numbers", n: int = 10, **options: Any) -> proctor.GradedEvaluator:
        options.setdefault("graders", [Contains()])
        return proctor.GradedEvaluator(
            name=name, dataset=Numbers(n=n), renderer="role_colon", **options
        )

    return make


@pytest.fixture
def loss() -> Loss:
    return Loss()


@pytest.fixture
def plain() -> type[Plain]:
    return Plain
