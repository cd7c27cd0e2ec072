"""The client that evaluators get which know of no budget."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from typing import Any

import pytest
import tinker

import proctor
from proctor.errors import TransientError
from proctor.evaluators.capped_client import CappedClient
from proctor.sampling.budget import RequestBudget
from proctor.testing import Hang, Reply, ScriptedClient

PROMPT = tinker.ModelInput.from_ints([1, 2, 3])
PARAMS = tinker.SamplingParams(max_tokens=4)


def capped(client: Any, **settings: Any) -> CappedClient:
    return CappedClient(client, proctor.EvaluationContext.for_client(client, **settings))


async def test_requests_of_every_kind_share_the_slots() -> None:
    client = ScriptedClient(lambda *_: Reply("x", seconds=0.01))
    proxy = capped(client, budget=RequestBudget(2))
    await asyncio.gather(
        *(proxy.sample(PROMPT, 1, PARAMS) for _ in range(5)),
        *(proxy.sample_async(prompt=PROMPT, num_samples=1, sampling_params=PARAMS) for _ in "12"),
        *(proxy.compute_logprobs(PROMPT) for _ in "12"),
        proxy.compute_logprobs_async(PROMPT),
    )
    assert (client.requests, client.most_in_flight) == (7, 2)


async def test_requests_are_on_their_way_before_they_are_awaited() -> None:
    """As those of tinker are: a list of requests, then a loop that awaits each, is parallel."""
    client = ScriptedClient(lambda *_: Reply("x", seconds=0.05))
    proxy = capped(client, budget=RequestBudget(8))
    requests = [proxy.sample(PROMPT, 1, PARAMS) for _ in range(8)]
    for request in requests:
        await request
    assert client.most_in_flight == 8


async def test_everything_else_is_the_client_s_own() -> None:
    client = ScriptedClient(lambda *_: "x")
    proxy = capped(client)
    assert proxy.get_tokenizer() is client.tokenizer
    assert proxy.requests == 0
    with pytest.raises(AttributeError):
        _ = proxy.no_such_thing


async def test_a_request_that_hangs_ends_at_its_timeout() -> None:
    proxy = capped(ScriptedClient(lambda *_: Hang(heeds_cancellation=False)), request_timeout=0.1)
    with pytest.raises(TransientError, match="no answer within 0 s"):
        await proxy.sample(PROMPT, 1, PARAMS)


async def test_nothing_is_sent_after_the_deadline() -> None:
    client = ScriptedClient(lambda *_: "x")
    proxy = capped(client, deadline=time.monotonic() - 1)
    with pytest.raises(TransientError, match="deadline"):
        await proxy.sample(PROMPT, 1, PARAMS)
    assert client.requests == 0


async def test_prompts_and_answers_count_as_tokens() -> None:
    budget = RequestBudget(2, tokens=10)
    proxy = capped(ScriptedClient(lambda *_: "abcd"), budget=budget)
    await proxy.sample(PROMPT, 1, PARAMS)
    assert budget.spent == 3 + 5  # the prompt's tokens; four letters and the end of text
    await proxy.compute_logprobs(PROMPT)
    assert budget.spent == 11
    with pytest.raises(TransientError, match="budget of 10 tokens is spent"):
        await proxy.sample(PROMPT, 1, PARAMS)


class Blocking:
    """A client whose futures have ``result``, as tinker's do."""

    def __init__(self) -> None:
        self.pool = concurrent.futures.ThreadPoolExecutor(1)

    def get_tokenizer(self) -> None:
        return None

    def sample(self, prompt: Any, num_samples: int, sampling_params: Any) -> Any:
        return self.pool.submit(lambda: "answered")


@pytest.mark.parametrize("in_a_loop", [True, False])
def test_blocking_code_gets_its_answer(in_a_loop: bool) -> None:
    """An evaluator that calls ``result()`` blocks the loop; it may not wait for that loop."""
    proxy = CappedClient(Blocking(), proctor.EvaluationContext())

    async def blocks() -> Any:
        return proxy.sample(PROMPT, 1, PARAMS).result(timeout=60)

    if in_a_loop:
        assert asyncio.run(blocks()) == "answered"
    else:
        assert proxy.sample(PROMPT, 1, PARAMS).result(timeout=60) == "answered"


async def test_a_run_s_plain_evaluators_share_its_budget() -> None:
    """Offline too: ``proctor run`` hands such an evaluator the capped client."""
    from proctor.configs.config import ConfiguredEvaluator
    from proctor.runs.execution import begin, result_of

    class Plain(proctor.SamplingClientEvaluator):
        """All requests at once."""

        async def __call__(self, sampling_client: Any) -> dict[str, float]:
            await asyncio.gather(*(sampling_client.sample(PROMPT, 1, PARAMS) for _ in range(9)))
            return {"done": 1.0}

    client = ScriptedClient(lambda *_: Reply("x", seconds=0.01))
    context = proctor.EvaluationContext.for_client(client, budget=RequestBudget(3))
    entry = ConfiguredEvaluator("plain", Plain())
    execution = begin(entry, context)
    execution.connect(client)
    result = await result_of(entry, execution)
    assert dict(result.metrics) == {"plain/done": 1.0}
    assert (client.requests, client.most_in_flight) == (9, 3)
