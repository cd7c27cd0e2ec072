"""How requests go out: how many at once, until when, and when again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import proctor
from proctor.sampling.budget import RequestBudget
from proctor.testing import Reply, ScriptedClient


async def test_requests_in_flight_never_exceed_the_cap_and_reach_it(evaluate: Any) -> None:
    def script(prompt: str, index: int) -> Any:
        return Reply("x", seconds=0.01)

    _, _, client = await evaluate(script, n=40, budget=RequestBudget(7))
    assert client.most_in_flight == 7
    client = ScriptedClient(script)
    await evaluate(script, n=40, client=client, budget=RequestBudget(7), max_in_flight=3)
    assert client.most_in_flight == 3


async def test_two_evaluators_share_one_budget(evaluator: Any) -> None:
    client = ScriptedClient(lambda *_: Reply("x", seconds=0.01))
    context = proctor.EvaluationContext.for_client(client, budget=RequestBudget(5))
    await asyncio.gather(
        evaluator(20).evaluate(client, context.named("a")),
        evaluator(20).evaluate(client, context.named("b")),
    )
    assert client.requests == 40
    assert client.most_in_flight == 5


async def test_no_coroutine_is_made_for_each_row(evaluate: Any) -> None:
    """Story 9: 20,000 coroutines were made up front."""
    most = 0

    def script(prompt: str, index: int) -> Any:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))
        return "x"

    await evaluate(script, n=3000, budget=RequestBudget(8))
    assert most < 60


async def test_a_hung_request_ends_at_its_deadline_which_includes_the_clients_queue(
    evaluate: Any,
) -> None:
    """Story 9: a request hung, and the evaluation with it for two hours."""
    started = time.monotonic()
    client = ScriptedClient(lambda *_: "x", queue_seconds=3600)
    result, records, _ = await evaluate(lambda *_: "x", n=3, client=client, request_timeout=0.2)
    assert time.monotonic() - started < 60
    assert result.metrics["numbers/Contains/failed"] == 3
    assert client.requests == 3, "a request that timed out is not sent again"
    assert "no answer within" in records.samples[0]["error"]


async def test_the_runs_deadline_fails_what_was_not_sent(evaluate: Any, estimate: Any) -> None:
    result, records, client = await evaluate(
        lambda *_: Reply("x", seconds=0.05),
        n=200,
        budget=RequestBudget(2),
        deadline=time.monotonic() + 0.5,
    )
    assert 0 < client.requests < 200
    assert estimate(result).pairs == 200
    unsent = [r for r in records.samples if "deadline passed" in r.get("error", "")]
    assert len(unsent) == 200 - client.requests
    assert result.withheld is not None


class Flaky:
    """Raises an error so many times for each prompt, then answers."""

    def __init__(self, asked: Callable[[str], int], times: int, error: Exception) -> None:
        self.asked = asked
        self.times = times
        self.error = error
        self.calls: dict[int, int] = {}

    def __call__(self, prompt: str, index: int) -> Any:
        number = self.asked(prompt)
        self.calls[number] = self.calls.get(number, 0) + 1
        return self.error if self.calls[number] <= self.times else f"<{number}>"


@pytest.fixture
def flaky(asked: Any) -> Any:
    return partial(Flaky, asked)


class StatusError(Exception):
    """An HTTP error as SDKs raise it."""

    def __init__(self, status_code: int) -> None:
        super().__init__(f"HTTP {status_code}")
        self.status_code = status_code


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries at once: how long they wait is no matter here."""
    real = asyncio.sleep

    async def quick(seconds: float, *rest: Any) -> Any:
        return await real(min(seconds, 0.001), *rest)

    monkeypatch.setattr("proctor.sampling.requests.asyncio.sleep", quick)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize(
    "error",
    [ConnectionError("reset"), StatusError(503), StatusError(429), proctor.TransientError("x")],
)
async def test_an_infrastructure_error_is_tried_again(
    error: Exception, evaluate: Any, flaky: Any
) -> None:
    script = flaky(2, error)
    result, _, client = await evaluate(script, n=4)
    assert result.metrics["numbers/score"] == 1.0
    assert client.requests == 12


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("error", [ValueError("bad prompt"), StatusError(400), StatusError(404)])
async def test_any_other_error_is_not(error: Exception, evaluate: Any, flaky: Any) -> None:
    result, _, client = await evaluate(flaky(2, error), n=4)
    assert result.metrics["numbers/Contains/failed"] == 4
    assert client.requests == 4


@pytest.mark.usefixtures("no_backoff")
async def test_retries_end(evaluate: Any, flaky: Any) -> None:
    result, records, client = await evaluate(flaky(99, ConnectionError("reset")), n=2)
    assert result.metrics["numbers/Contains/failed"] == 2
    assert client.requests == 8
    assert records.samples[0]["error"] == "ConnectionError: reset (tried 4 times)"


async def test_the_retries_of_tinkers_sdk_are_not_multiplied(evaluate: Any, flaky: Any) -> None:
    class TinkersOwn(ScriptedClient):
        """Stands where tinker's client stands in the class hierarchy."""

    TinkersOwn.__module__ = "tinker.lib.public_interfaces.sampling_client"
    client = TinkersOwn(flaky(1, ConnectionError("reset")))
    result, _, _ = await evaluate(lambda *_: "", n=3, client=client)
    assert client.requests == 3
    assert result.metrics["numbers/Contains/failed"] == 3


async def test_several_samples_of_an_example_go_out_as_one_request(
    evaluate: Any, asked: Any
) -> None:
    result, records, client = await evaluate(
        lambda prompt, index: f"<{asked(prompt)}>" if index == 1 else "no",
        n=5,
        options={"num_samples": 4},
    )
    assert client.requests == 5
    assert len(records.samples) == 20
    assert result.metrics["numbers/score"] == pytest.approx(0.25)
    assert result.metrics["numbers/Contains/n"] == 5
    assert result.metrics["numbers/Contains/pass@4"] == 1.0
    assert result.metrics["numbers/Contains/pass@2"] == pytest.approx(0.5)


async def test_a_client_with_only_the_async_form_works(asked: Any, evaluate: Any) -> None:
    class Old:
        """A client of before ``sample`` could be awaited."""

        def __init__(self) -> None:
            self.inner = ScriptedClient(lambda prompt, _: f"<{asked(prompt)}>")

        def get_tokenizer(self) -> Any:
            return self.inner.get_tokenizer()

        async def sample_async(self, prompt: Any, num_samples: int, sampling_params: Any) -> Any:
            return await self.inner.sample(prompt, num_samples, sampling_params)

    result, _, _ = await evaluate(lambda *_: "", client=Old())
    assert result.metrics["numbers/score"] == 1.0


async def test_a_prompt_longer_than_the_context_is_never_sent(evaluator: Any) -> None:
    identity = proctor.ModelIdentity(backend="x", base_model="b", digest="d", context_length=20)
    client = ScriptedClient(lambda *_: "x")
    context = proctor.EvaluationContext(identity=identity, tokenizer=client.tokenizer)
    result = await evaluator(2).evaluate(client, context)
    assert client.requests == 0
    assert result.metrics["numbers/Contains/failed"] == 2


async def test_an_answer_is_cut_to_what_the_context_has_room_for(evaluator: Any) -> None:
    client = ScriptedClient(lambda *_: "x")
    identity = proctor.ModelIdentity(backend="x", base_model="b", digest="d", context_length=100)
    context = proctor.EvaluationContext(identity=identity, tokenizer=client.tokenizer)
    await evaluator(1).evaluate(client, context)
    assert client.parameters[0].max_tokens == 100 - len(client.prompts[0])
