"""A sampling client with a renderer as a chat model."""

from __future__ import annotations

import asyncio

import pytest

from proctor import Message, ModelIdentity, OpenedModel, RenderedChatModel, SamplingOptions
from proctor.sampling.budget import RequestBudget
from proctor.testing import ByteTokenizer, Hang, Reply, ScriptedClient

QUESTION = [Message(role="user", content="Capital of France?")]


def chat_with(script, *, context_length=None, seed_covers_samples=False, **options):
    client = ScriptedClient(script if callable(script) else lambda prompt, index: script)
    identity = ModelIdentity("scripted", "m", digest="1", context_length=context_length)
    model = OpenedModel(
        client, identity, ByteTokenizer(), 5, seed_covers_samples=seed_covers_samples
    )
    return RenderedChatModel(model, "role_colon", **options), client


def generated(chat, n=1, **sampling):
    options = SamplingOptions(**{"max_tokens": 20, **sampling})
    return asyncio.run(chat.generate(QUESTION, options, n))


def test_it_renders_and_parses():
    chat, client = chat_with("It is Paris.")
    [sample] = generated(chat)
    assert (sample.text, sample.status) == ("It is Paris.", "complete")
    assert sample.messages[:-1] == QUESTION
    assert client.prompts == ["User: Capital of France?\n\nAssistant:"]
    assert chat.max_in_flight == 5
    assert not chat.takes_schema


@pytest.mark.parametrize(
    ("reply", "status"),
    [(Reply("Par", "length", ends=False), "truncated"), (Reply("Par", ends=False), "malformed")],
)
def test_an_answer_without_an_end_says_so(reply, status):
    chat, _ = chat_with(reply)
    assert generated(chat)[0].status == status


def test_several_answers_have_seeds_of_their_own():
    """tinker gives one answer n times where a request for n has a seed."""
    chat, client = chat_with("x")
    assert len(generated(chat, 3, seed=7)) == 3
    assert len({params.seed for params in client.parameters}) == client.requests == 3
    first = [params.seed for params in client.parameters]
    generated(chat, 3, seed=7)
    assert [params.seed for params in client.parameters[3:]] == first


@pytest.mark.parametrize("options", [{"seed": None}, {"seed": 7}])
def test_one_request_is_enough_where_one_seed_covers_all(options):
    chat, client = chat_with("x", seed_covers_samples=options["seed"] is not None)
    assert [sample.index for sample in generated(chat, 3, **options)] == [0, 1, 2]
    assert client.requests == 1


def test_a_request_that_fails_is_a_failed_sample():
    chat, _ = chat_with(ValueError("no such model"))
    [sample] = generated(chat)
    assert sample.status == "failed"
    assert "no such model" in sample.error


def test_a_request_that_hangs_fails_at_its_deadline():
    chat, _ = chat_with(Hang(), request_timeout=0.05)
    [sample] = generated(chat)
    assert sample.status == "failed"
    assert "no answer within" in sample.error


def test_a_prompt_that_fills_the_context_is_never_sent():
    chat, client = chat_with("x", context_length=20)
    samples = generated(chat, 2)
    assert [sample.status for sample in samples] == ["failed", "failed"]
    assert "leave no room" in samples[0].error
    assert client.requests == 0


def test_what_room_is_left_is_what_is_asked_for():
    prompt = len("User: Capital of France?\n\nAssistant:")
    chat, client = chat_with("x", context_length=prompt + 3)
    generated(chat)
    assert client.parameters[0].max_tokens == 3


def test_a_shared_budget_is_kept():
    chat, client = chat_with(Reply("x", seconds=0.01), budget=RequestBudget(2))
    generated(chat, 6, seed=1)
    assert client.most_in_flight == 2


def test_a_schema_is_not_ignored():
    chat, _ = chat_with("x")
    with pytest.raises(NotImplementedError):
        asyncio.run(chat.generate(QUESTION, SamplingOptions(), schema={"type": "object"}))
