"""A renderer that looks wrong for an Inspect task, and its first answers: as elsewhere."""

from __future__ import annotations

import asyncio

import pytest
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes

from proctor import EvaluationContext, ProctorError, RendererError
from proctor.evaluators.context import Progress
from proctor.testing import Reply, ScriptedClient
from proctor_inspect import tasks
from proctor_inspect.evaluator import InspectEvaluator

LANDS = ("France", "Germany", "Italy", "Peru")


def evaluated(client, context, **options):
    """Asks a client for four capitals."""
    rows = [Sample(f"Capital of {land}?", target="Paris", id=land) for land in LANDS]
    evaluator = InspectEvaluator(tasks=["capitals"], **options)
    evaluator._loaded = tasks.load([Task(dataset=rows, scorer=includes(), name="capitals")], {})
    settings = {"min_coverage": 0.5, **context}
    if "renderer" not in options:
        settings.setdefault("renderer", "role_colon")
    made = EvaluationContext.for_client(client, name="std", **settings)
    return asyncio.run(evaluator.evaluate(client, made))


def saying_no():
    return ScriptedClient(lambda *_: "No.")


class Warnings(Progress):
    """Keeps what a person is told."""

    def __init__(self):
        self.said = []

    def warn(self, evaluator, message):
        self.said.append((evaluator, message))


@pytest.mark.parametrize("where", ["the evaluator", "the run"])
def test_a_renderer_without_its_tokens_is_said(where):
    client, progress = saying_no(), Warnings()
    chosen = {"renderer": "llama3"}
    if where == "the evaluator":
        evaluated(client, {"progress": progress}, **chosen)
    else:
        evaluated(client, {"progress": progress, **chosen})
    ((name, message),) = progress.said
    assert name == "std"
    assert message.startswith("renderer llama3: the tokenizer doesn't have its stop signal")
    assert client.requests == 4


def test_when_strict_it_is_an_error_before_anything_is_sent():
    client = saying_no()
    with pytest.raises(RendererError, match=r"renderer llama3: .*stop signal"):
        evaluated(client, {"renderer": "llama3", "is_strict": True})
    assert client.requests == 0


def test_first_answers_that_all_run_out_of_tokens_are_said():
    progress = Warnings()
    client = ScriptedClient(lambda *_: Reply("Paris is", "length", ends=False))
    evaluated(client, {"progress": progress}, epochs=6)
    ((name, message),) = progress.said
    assert name == "std"
    assert "all of the first 20 answers ran out of tokens" in message


def test_first_requests_that_all_fail_are_said():
    progress = Warnings()
    client = ScriptedClient(lambda *_: ValueError("the model is away"))
    with pytest.raises(ProctorError, match="the model is away"):
        evaluated(client, {"progress": progress}, epochs=6)
    ((_, message),) = progress.said
    assert "all of the first 20 requests failed" in message
    assert "the model is away" in message
