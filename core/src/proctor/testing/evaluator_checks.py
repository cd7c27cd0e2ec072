"""The rules of evaluators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from proctor.components.build import build
from proctor.evaluators.context import EvaluationContext
from proctor.plugins.hook_arguments import CalledEvaluator
from proctor.renderers.tokenizers import Tokenizer
from proctor.testing.clients import Script, ScriptedClient
from proctor.testing.samples import run

if TYPE_CHECKING:
    import tinker


class RefusingClient(ScriptedClient):
    """A sampling client that fails every request."""

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        super().__init__(lambda prompt, index: RuntimeError("no request succeeds"), tokenizer)

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        """Raises, as ``sample`` does."""
        raise RuntimeError("no request succeeds")


class _CountingClient(ScriptedClient):
    """A scripted client that counts its log-probabilities among its requests."""

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        self.requests += 1
        return await super().compute_logprobs(prompt)


def check_evaluator(
    evaluator: object,
    script: Script = lambda prompt, index: "Paris",
    *,
    tokenizer: Tokenizer | None = None,
) -> None:
    """Holds an evaluator to its rules.

    It asks the model, returns finite numbers by name, the same ones for the same answers, and where
    every request fails it raises, or says that there is no score.

    Args:
        evaluator: An evaluator of sampling clients, its registered name, or its mapping as in a
            config.
        script: What the model answers.
        tokenizer: The model's tokenizer; without it, one token a byte.

    Raises:
        AssertionError: It breaks a rule.
    """
    run(_check(build("evaluator", evaluator), script, tokenizer))


async def _check(evaluator: CalledEvaluator, script: Script, tokenizer: Tokenizer | None) -> None:
    name = type(evaluator).__name__
    assert callable(evaluator), f"{name} can't be called: write 'async def __call__(self, client)'"
    client = _CountingClient(script, tokenizer)
    metrics = await evaluator(client)
    assert isinstance(metrics, dict), f"{name} returned {type(metrics).__name__}, not a dict"
    assert metrics, f"{name} returned no metrics"
    for key, value in metrics.items():
        assert isinstance(key, str), f"{name} returned a metric called {key!r}"
        assert isinstance(value, (int, float)), f"{name}: {key} is {value!r}, not a number"
        assert math.isfinite(value), f"{name}: {key} is {value}"
    assert client.requests, f"{name} returned metrics without asking the model anything"
    again = await evaluator(ScriptedClient(script, tokenizer))
    assert again == metrics, f"{name} gave {metrics}, and then {again} for the same answers"
    await _check_failure(evaluator, name, tokenizer)


async def _check_failure(
    evaluator: CalledEvaluator, name: str, tokenizer: Tokenizer | None
) -> None:
    client = RefusingClient(tokenizer)
    if hasattr(evaluator, "evaluate"):
        result = await evaluator.evaluate(client, EvaluationContext.for_client(client))
        assert not result.is_complete, f"{name} says that it is complete, and every request failed"
        return
    try:
        metrics = await evaluator(client)
    except Exception:
        return
    assert not any(math.isfinite(value) for value in metrics.values()), (
        f"{name} returned {metrics} although every request failed: let the exception through"
    )
