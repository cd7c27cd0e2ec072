"""When a server asks to be left alone, and completions that are the server's failure."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
from types import SimpleNamespace
from typing import Any

import pytest

import proctor
from proctor import BackendError, retry_delay
from proctor_openai.backend import OpenAIBackend


def headers_of(**headers: str) -> Exception:
    error = RuntimeError("busy")
    error.response = SimpleNamespace(headers=headers)  # type: ignore[attr-defined]
    return error


def test_retry_after_is_read_in_its_three_forms() -> None:
    assert retry_delay(headers_of(**{"retry-after": "7"}), 0) == 7.0
    assert retry_delay(headers_of(**{"retry-after": "1.5"}), 0) == 1.5
    assert retry_delay(headers_of(**{"retry-after-ms": "250"}), 0) == 0.25
    assert retry_delay(headers_of(**{"retry-after-ms": "250", "retry-after": "9"}), 0) == 0.25
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=20)
    date = email.utils.format_datetime(then, usegmt=True)
    assert retry_delay(headers_of(**{"retry-after": date}), 0) == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    ("asked_for", "waited"),
    [("-3", 0.0), ("86400", 60.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_it_is_bounded(asked_for: str, waited: float) -> None:
    assert retry_delay(headers_of(**{"retry-after": asked_for}), 0) == waited


@pytest.mark.parametrize("asked_for", ["soon", "", "nan", "inf", "Thu, 99 Foo"])
def test_nonsense_is_as_if_it_said_nothing(asked_for: str) -> None:
    assert 0.4 <= retry_delay(headers_of(**{"retry-after": asked_for}), 0) <= 0.6
    assert 1.6 <= retry_delay(RuntimeError("no response"), 2) <= 2.4


def test_an_evaluation_waits_as_it_is_asked_to(
    served: Any, openai_server: Any, monkeypatch: Any
) -> None:
    from proctor.renderers import Prompt
    from proctor.sampling import requests
    from proctor.sampling.budget import RequestLimits

    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    def busy(path: str, number: int) -> Any:
        if path == "completions" and number in (1, 2):
            return openai_server.error(429, "slow down", **{"retry-after": "11"})
        return None

    _, address = served("Paris.", misbehaves=busy)

    async def run() -> Any:
        import tinker

        backend = OpenAIBackend(model="smollm2", base_url=address)
        try:
            model = await backend.open_model()
            monkeypatch.setattr(requests.asyncio, "sleep", sleep)
            params = tinker.SamplingParams(max_tokens=8)
            return await requests.request(
                model.client, Prompt([65, 66]), 1, params, RequestLimits(60.0)
            )
        finally:
            await backend.close()

    response, _ = asyncio.run(run())
    assert len(response.sequences) == 1
    assert waits == [11.0, 11.0]


# Completions


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"finish_reason": "abort"}, "ended the answer with 'abort'"),
        ({"finish_reason": "error"}, "ended the answer with 'error'"),
        ({"finish_reason": "moderated"}, "ended the answer with 'moderated'"),
        ({"prompt_token_ids": [1, 2]}, "answered another prompt than it was sent"),
    ],
)
def test_a_failed_completion_is_no_answer(fields: Any, error: str, served: Any) -> None:
    from proctor_openai.completions import TokenClient

    class Client(TokenClient):
        async def _create(self, ids: Any, *_: Any, **__: Any) -> Any:
            choice = {"token_ids": [65], "finish_reason": "stop", "logprobs": None} | fields
            return SimpleNamespace(id="1", choices=[SimpleNamespace(**choice)])

    async def run() -> None:
        import tinker

        client = Client(SimpleNamespace(model="m"), None)  # type: ignore[arg-type]
        prompt = tinker.ModelInput.from_ints([7, 8])
        await client.sample(prompt, 1, tinker.SamplingParams(max_tokens=1))

    kind = proctor.TransientError if "abort" in error or "'error'" in error else BackendError
    with pytest.raises(kind, match=error):
        asyncio.run(run())
