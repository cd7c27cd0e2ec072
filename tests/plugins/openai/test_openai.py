"""The backend ``openai`` against a real HTTP server."""

from __future__ import annotations

import asyncio
import json

import pytest
import tinker
from starlette.responses import PlainTextResponse

import proctor
from proctor import BackendError, Message, SamplingOptions
from proctor.testing import Hang, Reply
from proctor_openai import connection
from proctor_openai.backend import OpenAIBackend
from proctor_openai.chat import chat_message, read_reply
from proctor_openai.replies import ServerFailure

QUESTION = [Message(role="user", content="Capital of France?")]


def asked(address, *, n=1, messages=QUESTION, schema=None, sampling=None, **options):
    """What the model behind a server says."""

    async def ask():
        backend = OpenAIBackend(model="smollm2", base_url=address, **options)
        try:
            chat = await backend.open_chat_model(request_timeout=options.get("request_timeout"))
            return await chat.generate(
                messages, sampling or SamplingOptions(max_tokens=20, seed=7), n, schema=schema
            )
        finally:
            await backend.close()

    return asyncio.run(ask())


def refused(address="http://127.0.0.1:9/v1", *, model="smollm2", evaluates=False, **options):
    """The line that a server's refusal comes to."""

    async def open_it():
        backend = OpenAIBackend(model=model, base_url=address, **options)
        try:
            await (backend.open_model() if evaluates else backend.open_chat_model())
        finally:
            await backend.close()

    with pytest.raises(BackendError) as error:
        asyncio.run(open_it())
    line = str(error.value)
    assert "\n" not in line
    assert "sk-secret" not in line
    return line


# A chat model


def test_an_answer_is_a_sample_with_its_token_counts(served):
    _, address = served("It is Paris.")
    [sample] = asked(address)
    assert (sample.status, sample.text) == ("complete", "It is Paris.")
    [call] = sample.calls
    assert call.token_counts == (len("User: Capital of France?\n\nAssistant:"), 13)
    assert call.seconds > 0


def test_a_cut_off_answer_is_truncated(served):
    _, address = served(Reply("It is Par", "length", ends=False))
    [sample] = asked(address)
    assert (sample.status, sample.text) == ("truncated", "It is Par")


def test_the_options_arrive(served):
    server, address = served()
    asked(address, sampling=SamplingOptions(max_tokens=9, temperature=0.5, seed=3, stop=("\n",)))
    _, body = server.requests[-1]
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (9, 0.5, 3)
    assert body["stop"] == ["\n"]


def test_several_answers_have_seeds_of_their_own_and_the_same_each_time(served):
    server, address = served()
    asked(address, n=3)
    first = [body["seed"] for path, body in server.requests if body.get("max_tokens") == 20]
    asked(address, n=3)
    seeds = [body["seed"] for path, body in server.requests if body.get("max_tokens") == 20]
    assert len(set(first)) == 3
    assert sorted(seeds[3:]) == sorted(first)


def test_a_busy_server_is_asked_again_when_it_says(served, openai_server):
    def busy(path, number):
        wait = {"retry-after": "0"}
        return (
            openai_server.error(429, "slow down", **wait)
            if path.startswith("chat") and (2 <= number < 4)
            else None
        )

    server, address = served(misbehaves=busy)
    [sample] = asked(address, structured_output="no")
    assert sample.status == "complete"
    assert sum(path == "chat/completions" for path, _ in server.requests) >= 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_keeps_failing_gives_failed_samples(served, openai_server, status):
    def broken(path, number):
        if path == "chat/completions" and number >= 1:
            return openai_server.error(status, "down", **{"retry-after": "0"})
        return None

    server, address = served(misbehaves=broken)
    [sample] = asked(address, structured_output="no")
    assert sample.status == "failed"
    assert "down" in sample.error
    assert len([p for p, _ in server.requests if p == "chat/completions"]) == 1 + 4


def test_a_request_that_hangs_fails_at_its_deadline_and_is_not_sent_again(served):
    async def never(path, number):
        if path == "chat/completions" and number >= 1:
            await asyncio.sleep(60)

    server, address = served(misbehaves=never)
    [sample] = asked(address, structured_output="no", request_timeout=0.3)
    assert sample.status == "failed"
    assert "no answer within" in sample.error
    assert len([p for p, _ in server.requests if p == "chat/completions"]) == 2


def test_what_is_no_json_is_a_failed_sample(served):
    def odd(path, number):
        return PlainTextResponse("<html>") if path == "chat/completions" and number else None

    _, address = served(misbehaves=odd)
    [sample] = asked(address, structured_output="no")
    assert sample.status == "failed"


def test_a_model_that_knows_the_length_by_its_newer_name(served, openai_server):
    def newer(path, number):
        body = server.requests[-1][1]
        if path == "chat/completions" and "max_tokens" in body:
            return openai_server.error(400, "use 'max_completion_tokens' instead")
        if path == "chat/completions":
            body["max_tokens"] = body.pop("max_completion_tokens")
        return None

    server, address = served(misbehaves=newer)
    [sample] = asked(address, structured_output="no")
    assert sample.status == "complete"


def test_schemas_are_used_where_the_server_follows_them(served):
    def obeys(prompt, index):
        return '{"ok": "yes"}'

    server, address = served(obeys)
    asked(address, schema={"type": "object"})
    assert server.requests[-1][1]["response_format"]["json_schema"]["schema"] == {"type": "object"}

    async def takes_schema(address):
        backend = OpenAIBackend(model="smollm2", base_url=address)
        chat = await backend.open_chat_model()
        await backend.close()
        return chat.takes_schema

    assert asyncio.run(takes_schema(address))
    _, ignoring = served("yes")
    assert not asyncio.run(takes_schema(ignoring))


def reply_of(finish_reason, content="x", **message):
    from types import SimpleNamespace as Space

    said = Space(content=content, **message)
    return Space(choices=[Space(message=said, finish_reason=finish_reason)], usage=None)


def test_only_a_clean_end_is_an_answer():
    assert read_reply(reply_of("stop"), QUESTION, 0, 1.0).status == "complete"
    assert read_reply(reply_of("length"), QUESTION, 0, 1.0).status == "truncated"
    for reason in ("content_filter", None):
        with pytest.raises(ServerFailure, match="the server ended the answer with"):
            read_reply(reply_of(reason), QUESTION, 0, 1.0)
    with pytest.raises(ServerFailure, match="no choices"):
        read_reply(type("Empty", (), {"choices": []})(), QUESTION, 0, 1.0)


def test_reasoning_is_apart_from_the_answer():
    sample = read_reply(reply_of("stop", "Paris", reasoning_content="hm"), QUESTION, 0, 1.0)
    assert (sample.text, sample.reasoning) == ("Paris", "hm")


# A sampling client


def opened(address, use):
    async def run():
        backend = OpenAIBackend(model="smollm2", base_url=address)
        try:
            return await use(await backend.open_model())
        finally:
            await backend.close()

    return asyncio.run(run())


def test_tokens_come_back_as_the_model_wrote_them(served):
    server, address = served("Paris")

    async def sample(model):
        prompt = tinker.ModelInput.from_ints(model.tokenizer.encode("Capital?"))
        params = tinker.SamplingParams(max_tokens=9, temperature=0.5, seed=1, stop=[0])
        reply = await model.client.sample(prompt, 2, params)
        assert model.identity.context_length == 4096
        eos = model.tokenizer.eos_token_id
        for sequence in reply.sequences:
            assert list(sequence.tokens) == [*model.tokenizer.encode("Paris"), eos]
            assert sequence.stop_reason == "stop"

    opened(address, sample)
    bodies = [body for path, body in server.requests if path == "completions"][1:]
    assert [body["stop_token_ids"] for body in bodies] == [[0], [0]]
    assert len({body["seed"] for body in bodies}) == 2


def test_log_probabilities_of_a_prompt(served):
    _, address = served()

    async def compute(model):
        return await model.client.compute_logprobs(tinker.ModelInput.from_ints([5, 6, 7]))

    assert opened(address, compute) == [None, -1.0, -1.0]


def test_an_evaluation_through_the_server_is_that_of_the_model(served, command_line, tmp_path):
    _, address = served(lambda prompt, index: "Paris" if "France" in prompt else "Milan")
    (tmp_path / "parts.py").write_text(
        "import proctor\n"
        "class Two(proctor.Dataset):\n"
        "    def examples(self):\n"
        "        yield proctor.Example('a', 'Capital of France?', 'Paris')\n"
        "        yield proctor.Example('b', 'Capital of Italy?', 'Rome')\n"
        "def contains(response: str, target: str) -> bool:\n"
        "    return target in response\n"
    )
    config = {
        "model": {"backend": "openai", "model": "smollm2", "base_url": address},
        "renderer": "role_colon",
        "evaluators": [
            {
                "name": "two",
                "dataset": {"type": "./parts.py:Two"},
                "graders": ["./parts.py:contains"],
            }
        ],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run", "--json")
    assert printed.code == 0, printed.err
    assert json.loads(printed.out)["metrics"]["two/score"] == 0.5
    for file in (tmp_path / "run").iterdir():
        assert "sk-secret" not in file.read_text()


# Bad input


def test_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert "can't be reached" in refused()


def test_a_missing_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    line = refused()
    assert "OPENAI_API_KEY" in line
    assert "api_key_env: null" in line


def test_a_wrong_key_is_never_shown(served, monkeypatch):
    _, address = served()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-but-wrong")
    assert "refuses the key" in refused(address)


def test_an_unknown_model_lists_near_names(served):
    _, address = served()
    line = refused(address, model="smollm-2")
    assert "no such model" in line
    assert "did you mean 'smollm2'" in line


def test_a_server_that_hangs(served, monkeypatch):
    async def never(path, number):
        await asyncio.sleep(60)

    monkeypatch.setattr(connection, "PREFLIGHT_SECONDS", 0.3)
    _, address = served(misbehaves=never)
    assert "gives no answer" in refused(address)


def test_a_server_that_gives_no_tokens_back_is_for_judges_only(served):
    _, address = served(gives_tokens=False)
    line = refused(address, evaluates=True)
    assert "does not give token ids back" in line
    assert "use it as a judge" in line


def test_a_server_without_keys_gets_none(served, monkeypatch):
    server, address = served()
    monkeypatch.delenv("OPENAI_API_KEY")
    refused(address, api_key_env=None)
    assert server.keys == {"none"}


def test_a_hanging_model_is_the_requests_failure(served):
    """Story 9 for a judge: its deadline ends it, whatever the server does."""
    _, address = served(lambda prompt, index: Hang() if "France" in prompt else "yes")
    [sample] = asked(address, request_timeout=0.5, structured_output="no")
    assert sample.status == "failed"


def test_the_key_is_in_no_description():
    backend = OpenAIBackend(model="m")
    assert "sk-" not in repr(backend) + json.dumps(proctor.fingerprint(backend))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (b"GIF89a", "data:image/gif;base64,R0lGODlh"),
        (proctor.Image(b"GIF89a", "gif"), "data:image/gif;base64,R0lGODlh"),
        ("data:image/gif;base64,R0lGODlh", "data:image/gif;base64,R0lGODlh"),
        ("https://example.org/a.png", "https://example.org/a.png"),
    ],
)
def test_an_image_is_sent_in_itself_or_as_its_address(given, sent):
    message = Message(role="user", content=[{"type": "image", "image": given}])
    [part] = chat_message(message)["content"]
    assert part == {"type": "image_url", "image_url": {"url": sent}}


def test_an_image_can_t_be_sent_among_tokens():
    from proctor_openai.completions import TokenClient

    class Connection:
        model = "m"

    image = tinker.types.ImageChunk(data=b"GIF89a", format="png", expected_tokens=4)
    prompt = tinker.ModelInput(chunks=[image])
    client = TokenClient(Connection(), None)
    with pytest.raises(proctor.RendererError, match="openai m: the prompt holds an image"):
        client.sample(prompt, 1, tinker.SamplingParams(max_tokens=1))
