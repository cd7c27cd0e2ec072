"""A renderer that looks wrong, in every evaluator that renders: said, and an error when strict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.configs.loading import load_config
from proctor.errors import RendererError
from proctor.evaluators.choice_logprob import ChoiceLogprob
from proctor.evaluators.context import Progress
from proctor.evaluators.dataset_evaluator import DatasetEvaluator
from proctor.evaluators.dataset_run import EARLY_SAMPLES
from proctor.evaluators.nll import NLL
from proctor.runs.offline import run_config
from proctor.runs.run_options import RunOptions
from proctor.testing import ByteTokenizer, ScriptedClient


class Rows(proctor.Dataset):
    """Questions that every evaluator can use; it counts how often it is read."""

    n: int = 3
    choices: bool = False
    _passes: int = 0

    def examples(self) -> Iterator[proctor.Example]:
        self._passes += 1
        for number in range(self.n):
            yield proctor.Example(
                id=f"q{number}",
                input=f"Question {number}?",
                target=0 if self.choices else "yes",
                choices=("yes", "no") if self.choices else None,
            )


def says(response: str, target: str) -> bool:
    return response.strip() == target


def nll(n: int = 3, **options: Any) -> DatasetEvaluator:
    return NLL(name="nll", dataset=Rows(n=n), **options)


def choice_logprob(n: int = 3, **options: Any) -> DatasetEvaluator:
    return ChoiceLogprob(name="choice_logprob", dataset=Rows(n=n, choices=True), **options)


def graded(n: int = 3, **options: Any) -> DatasetEvaluator:
    return proctor.GradedEvaluator(name="graded", dataset=Rows(n=n), graders=[says], **options)


EVERY_KIND = pytest.mark.parametrize("make", [nll, choice_logprob, graded])


class Counting(ScriptedClient):
    """A client that counts requests of every kind, and may refuse them all."""

    def __init__(self, refuses: bool = False) -> None:
        super().__init__(lambda *_: ValueError("the model is away") if refuses else "yes")
        self.refuses = refuses

    async def compute_logprobs(self, prompt: Any) -> list[float | None]:
        self.requests += 1
        if self.refuses:
            raise ValueError("the model is away")
        return await super().compute_logprobs(prompt)


class Warnings(Progress):
    """Keeps what a person is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def warn(self, evaluator: str, message: str) -> None:
        self.said.append((evaluator, message))


async def evaluated(
    evaluator: DatasetEvaluator, client: Counting, **settings: Any
) -> list[tuple[str, str]]:
    progress = Warnings()
    context = proctor.EvaluationContext.for_client(client, progress=progress, **settings)
    await evaluator.evaluate(client, context)
    return progress.said


@EVERY_KIND
@pytest.mark.parametrize("where", ["the evaluator", "the run"])
async def test_a_renderer_without_its_tokens_is_said(make: Any, where: str) -> None:
    client = Counting()
    chosen = {"renderer": "llama3"}
    if where == "the evaluator":
        ((evaluator, message),) = await evaluated(make(**chosen), client)
    else:
        ((evaluator, message),) = await evaluated(make(), client, **chosen)
    assert evaluator == make.__name__
    assert message.startswith("renderer llama3: the tokenizer doesn't have its stop signal")
    assert client.requests


@EVERY_KIND
async def test_when_strict_it_is_an_error_before_anything_is_sent(make: Any) -> None:
    client = Counting()
    with pytest.raises(RendererError, match=r"renderer llama3: .*stop signal"):
        await evaluated(make(renderer="llama3"), client, is_strict=True)
    assert client.requests == 0


@EVERY_KIND
async def test_when_strict_a_renderer_that_fits_is_none(make: Any) -> None:
    client = Counting()
    assert await evaluated(make(renderer="role_colon"), client, is_strict=True) == []
    assert client.requests


class Model(proctor.Backend):
    """A model that says yes."""

    _client: Counting | None = None

    async def open_model(self) -> proctor.OpenedModel:
        self._client = Counting()
        identity = proctor.ModelIdentity(backend="test", base_model="m", digest="d")
        return proctor.OpenedModel(self._client, identity, ByteTokenizer())


@EVERY_KIND
async def test_a_strict_run_sends_nothing_where_one_of_its_renderers_looks_wrong(
    make: Any, tmp_path: Path
) -> None:
    """Also where it is the last of several evaluators."""
    others = [other for other in (nll, choice_logprob, graded) if other is not make]
    evaluators = [*(other(renderer="role_colon") for other in others), make(renderer="llama3")]
    model = Model()
    config = load_config({"model": model, "evaluators": evaluators})
    with pytest.raises(RendererError, match="stop signal"):
        await run_config(config, tmp_path / "run", RunOptions(is_strict=True))
    assert model._client is not None
    assert model._client.requests == 0
    assert not (tmp_path / "run" / "samples.jsonl").read_text()


@EVERY_KIND
async def test_first_requests_that_all_fail_are_said_once(make: Any) -> None:
    evaluator = make(2 * EARLY_SAMPLES, renderer="role_colon")
    ((name, message),) = await evaluated(evaluator, Counting(refuses=True))
    assert name == make.__name__
    assert "all of the first 20 requests failed" in message
    assert "the model is away" in message


@EVERY_KIND
async def test_too_few_samples_say_nothing(make: Any) -> None:
    evaluator = make(EARLY_SAMPLES - 1, renderer="role_colon")
    assert await evaluated(evaluator, Counting(refuses=True)) == []


@EVERY_KIND
async def test_a_dataset_is_passed_over_twice(make: Any, tmp_path: Path) -> None:
    """Once for its mistakes and once for its questions; alone and in a run."""
    evaluator = make(renderer="role_colon")
    await evaluated(evaluator, Counting())
    assert evaluator.dataset._passes == 2
    evaluator = make(renderer="role_colon")
    await run_config(load_config({"model": Model(), "evaluators": [evaluator]}), tmp_path / "run")
    assert evaluator.dataset._passes == 2
    evaluator = make(renderer="role_colon", limit=2)
    await evaluated(evaluator, Counting())
    assert evaluator.dataset._passes == 1
