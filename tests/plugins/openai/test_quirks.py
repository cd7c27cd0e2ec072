"""Servers with OpenAI's API as they are: what they leave out, add, refuse and get wrong."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

import proctor
from proctor import BackendError, Message, SamplingOptions, retry_delay
from proctor_openai import connection
from proctor_openai.backend import OpenAIBackend
from proctor_openai.chat import read_reply
from proctor_openai.replies import FINISH_REASONS, HELPS, ServerFailure

QUESTION = [Message(role="user", content="Capital of France?")]
SAMPLING = SamplingOptions(max_tokens=20, seed=7)


def asked(address: str, sampling: SamplingOptions = SAMPLING, **options: Any) -> proctor.Sample:
    """What the model behind a server says."""

    async def ask() -> proctor.Sample:
        backend = OpenAIBackend(
            model="smollm2", base_url=address, **{"structured_output": "no", **options}
        )
        try:
            chat = await backend.open_chat_model()
            [sample] = await chat.generate(QUESTION, sampling)
            return sample
        finally:
            await backend.close()

    return asyncio.run(ask())


def reply(
    message: dict[str, Any] | None = None, *, reason: str | None = "stop", **fields: Any
) -> JSONResponse:
    """A reply of the chat API."""
    said = {"role": "assistant", "content": "Paris."} if message is None else message
    choice = {"index": 0, "message": said, "finish_reason": reason}
    whole = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    return JSONResponse({**whole, "choices": [choice], **fields})


def answering(*responses: Any) -> Any:
    """Answers the chat's requests after the first with some responses, in turn; then as usual."""

    def misbehaves(path: str, number: int) -> Any:
        if path != "chat/completions" or not 1 <= number <= len(responses):
            return None
        return responses[number - 1]

    return misbehaves


def chats(server: Any) -> list[dict[str, Any]]:
    return [body for path, body in server.requests if path == "chat/completions"]


# How an answer ended


@pytest.mark.parametrize("reason", FINISH_REASONS)
def test_each_known_ending_is_what_the_table_says(reason: str, served: Any) -> None:
    """The server's failure is missing, and no answer of the model's that is worth 0."""
    again = [reply(reason=reason)] * (4 if reason in HELPS else 1)
    server, address = served(misbehaves=answering(*again))
    sample = asked(address)
    assert sample.status == FINISH_REASONS[reason]
    if sample.status == "failed":
        assert reason in str(sample.error)
    assert len(chats(server)) == 1 + len(again)


@pytest.mark.parametrize("reason", ["moderated", "", None])
def test_an_unknown_ending_is_a_failure_with_its_name(reason: str | None, served: Any) -> None:
    _, address = served(misbehaves=answering(reply(reason=reason)))
    sample = asked(address)
    assert sample.status == "failed"
    assert f"the server ended the answer with {reason!r}" in str(sample.error) or reason is None
    if reason is None:
        assert "no finish_reason" in str(sample.error)


def test_an_aborted_answer_is_asked_for_again(served: Any) -> None:
    server, address = served("Rome.", misbehaves=answering(reply(reason="abort")))
    assert asked(address).text == "Rome."
    assert len(chats(server)) == 3


# What is under status 200


@pytest.mark.parametrize(
    "wrong",
    [
        JSONResponse({"choices": None, "error": {"message": "the worker died", "code": 502}}),
        JSONResponse({"error": {"message": "the worker died"}}),
        JSONResponse({"choices": []}),
        HTMLResponse("<html>Bad gateway</html>"),
        PlainTextResponse("   \n"),
        Response(b"", media_type="application/json"),
        Response(b'{"choices": [', media_type="application/json"),
        JSONResponse([]),
        JSONResponse(None),
    ],
    ids=["error", "bare error", "no choices", "page", "space", "empty", "torn", "list", "null"],
)
def test_a_failure_under_status_200_is_asked_again_and_told(wrong: Any, served: Any) -> None:
    server, address = served("Rome.", misbehaves=answering(wrong))
    assert asked(address).text == "Rome."
    assert len(chats(server)) == 3
    server, address = served(misbehaves=answering(*[wrong] * 4))
    sample = asked(address)
    assert sample.status == "failed"
    assert "TypeError" not in str(sample.error)
    if b"worker" in wrong.body:
        assert "the worker died" in str(sample.error)


def test_an_error_that_stays_is_not_asked_for_again(served: Any) -> None:
    wrong = JSONResponse({"choices": None, "error": {"message": "too long", "code": 400}})
    server, address = served(misbehaves=answering(wrong))
    assert "too long" in str(asked(address).error)
    assert len(chats(server)) == 2


# Fields that nobody needs


@pytest.mark.parametrize(
    "usage",
    [
        {},
        None,
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": 3},
    ],
)
def test_usage_is_optional(usage: Any, served: Any) -> None:
    _, address = served(misbehaves=answering(reply(usage=usage)))
    sample = asked(address)
    assert (sample.status, sample.text) == ("complete", "Paris.")
    assert sample.calls[0].token_counts == ((usage or {}).get("prompt_tokens") or 0, 0)


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": None}, "", ""),
        ({"content": "Paris.", "reasoning": "so"}, "Paris.", "so"),
        ({"content": "Paris.", "reasoning_content": "so"}, "Paris.", "so"),
        ({"content": "Paris.", "reasoning": {"content": "so"}}, "Paris.", "so"),
        ({"content": "Paris.", "reasoning": [{"type": "text", "text": "so"}]}, "Paris.", "so"),
        ({"content": "Paris.", "reasoning": {"effort": "low"}}, "Paris.", ""),
        (
            {"content": [{"type": "text", "text": "Par"}, {"type": "text", "text": "is."}]},
            "Paris.",
            "",
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "so"}]},
                    {"type": "text", "text": "Paris."},
                ]
            },
            "Paris.",
            "so",
        ),
        ({"content": None, "refusal": "I won't."}, "I won't.", ""),
    ],
)
def test_a_message_in_each_form(message: Any, text: str, reasoning: str, served: Any) -> None:
    _, address = served(misbehaves=answering(reply({"role": "assistant", **message})))
    sample = asked(address)
    assert (sample.status, sample.text, sample.reasoning) == ("complete", text, reasoning)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([-0.5] * 6, True),
        ([-0.5, None, *[-0.5] * 4], False),
        ([-0.5], False),
        (None, False),
        ([], False),
    ],
)
def test_log_probabilities_with_a_gap_are_none(values: Any, kept: bool, served: Any) -> None:
    from proctor_openai.replies import whole_logprobs

    assert whole_logprobs(values, 6) == (values if kept else None)


# What a server refuses


@pytest.mark.parametrize(
    ("option", "sampling"),
    [
        ("temperature", SamplingOptions(max_tokens=20, temperature=0.5)),
        ("seed", SAMPLING),
        ("top_p", SAMPLING),
        ("stop", SamplingOptions(max_tokens=20, stop=("END",))),
    ],
)
def test_an_option_that_is_refused_is_left_out_and_told(
    option: str, sampling: Any, served: Any, openai_server: Any, caplog: Any
) -> None:
    """Every verdict was lost after all was sampled."""
    box: list[Any] = []

    def refuses(path: str, number: int) -> Any:
        if path == "chat/completions" and option in box[0].requests[-1][1]:
            return openai_server.error(400, f"Unsupported parameter: '{option}'")
        return None

    server, address = served("Paris.", misbehaves=refuses)
    box.append(server)
    server.chat = _Anything()
    with caplog.at_level(logging.WARNING, logger="proctor"):
        sample = asked(address, sampling)
    assert (sample.status, sample.text) == ("complete", "Paris.")
    assert option not in chats(server)[-1]
    assert caplog.text.count(f"takes no {option!r}") == 1


class _Anything:
    """Answers whatever options a request has."""

    async def generate(self, messages: Any, sampling: Any) -> Any:
        call = proctor.Call([1], [2], "stop", 0.1)
        answer = Message(role="assistant", content="Paris.")
        return [proctor.Sample("", 0, "complete", [*messages, answer], [call])]


def test_what_has_to_be_there_is_not_left_out(served: Any, openai_server: Any) -> None:
    refuses = answering(openai_server.error(400, "messages: too many tokens"))
    _, address = served(misbehaves=refuses)
    sample = asked(address)
    assert "too many tokens" in str(sample.error)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500, 502])
def test_a_list_of_models_is_advice(status: int, served: Any, openai_server: Any) -> None:
    def no_list(path: str, number: int) -> Any:
        return openai_server.error(status, "no list") if path == "models" else None

    _, address = served("Paris.", misbehaves=no_list)
    assert asked(address).text == "Paris."


@pytest.mark.parametrize(
    "listed", [JSONResponse({"data": []}), JSONResponse({}), PlainTextResponse("no")]
)
def test_so_is_an_odd_one(listed: Any, served: Any) -> None:
    _, address = served(misbehaves=lambda path, number: listed if path == "models" else None)
    assert asked(address).text == "Paris."


# A server that is busy


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


def test_a_server_that_loads_its_model_is_waited_for(
    served: Any, openai_server: Any, caplog: Any
) -> None:
    def loading(path: str, number: int) -> Any:
        if path == "chat/completions" and number < 3:
            return openai_server.error(503, "Loading model", **{"retry-after": "0"})
        return None

    _, address = served("Paris.", misbehaves=loading)
    with caplog.at_level(logging.WARNING, logger="proctor"):
        assert asked(address).text == "Paris."
    assert caplog.text.count("is not ready") == 1
    assert "Loading model" in caplog.text


def test_but_not_for_ever(served: Any, openai_server: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "LOADING_SECONDS", 0.0)

    def loading(path: str, number: int) -> Any:
        return openai_server.error(503, "Loading model") if path != "models" else None

    _, address = served(misbehaves=loading)
    with pytest.raises(BackendError, match=r"the server refuses: .*Loading model"):
        asked(address)


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


def test_a_judge_s_failure_is_missing_and_never_wrong() -> None:
    said = SimpleNamespace(content="VERDICT: INCORRECT")
    failed = SimpleNamespace(
        choices=[SimpleNamespace(message=said, finish_reason="content_filter")], usage=None
    )
    with pytest.raises(ServerFailure):
        read_reply(failed, QUESTION, 0, 1.0)
