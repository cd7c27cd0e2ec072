"""Servers with OpenAI's API as they are: what they leave out, add, refuse and get wrong."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

import proctor
from proctor import BackendError, Message, SamplingOptions
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


def test_a_judge_s_failure_is_missing_and_never_wrong() -> None:
    said = SimpleNamespace(content="VERDICT: INCORRECT")
    failed = SimpleNamespace(
        choices=[SimpleNamespace(message=said, finish_reason="content_filter")], usage=None
    )
    with pytest.raises(ServerFailure):
        read_reply(failed, QUESTION, 0, 1.0)
