"""The rules of backends and sampling clients."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from proctor.components.build import build
from proctor.renderers.tokenizers import Tokenizer
from proctor.sampling.backends import Backend
from proctor.sampling.models import Client, OpenedModel
from proctor.testing.samples import run

if TYPE_CHECKING:
    import tinker

PROMPT = "The capital of France is"
MAX_TOKENS = 8


def check_backend(backend: object) -> None:
    """Holds a backend to its rules: it opens a model, says which it is, and its client works.

    Args:
        backend: A backend, its class, its registered name, or its mapping as in a config.

    Raises:
        AssertionError: It breaks a rule.
        BackendError: It can't open its model.
    """
    built: Backend = build("backend", backend() if isinstance(backend, type) else backend)
    run(_check_backend(built))


async def _check_backend(backend: Backend) -> None:
    name = type(backend).__name__
    keys: list[str] = []
    for _ in range(2):
        await backend.open()
        try:
            model = await backend.open_model()
            assert isinstance(model, OpenedModel), f"{name}.open_model() returned {model!r}"
            identity = model.identity
            assert identity.backend, f"{name} doesn't say its own name in the model's identity"
            assert identity.base_model, f"{name} doesn't say which base model it opened"
            context = identity.context_length
            assert context is None or context > 0, f"{name} says its context is {context} tokens"
            text = "Hello, world. 1 + 1 = 2"
            decoded = model.tokenizer.decode(model.tokenizer.encode(text, add_special_tokens=False))
            assert decoded == text, f"{name}'s tokenizer makes {decoded!r} of {text!r}"
            if not keys:
                await _check_client(model.client, model.tokenizer)
            keys.append(identity.key if identity.is_reusable else "")
        finally:
            await backend.close()
    assert keys[0] == keys[1], f"{name} says {keys[0]!r}, and then {keys[1]!r} for one model"


def check_sampling_client(client: Client, tokenizer: Tokenizer | None = None) -> None:
    """Holds a sampling client to its rules, on a few short requests.

    It gives as many answers as were asked for, none longer than ``max_tokens``, says truly why each
    ended, heeds stop strings, gives one answer at temperature 0 whether requests come alone or
    together, and a log-probability for each token of a prompt but the first.

    Args:
        client: The client. Its model has to answer the prompt with more than one token.
        tokenizer: Its tokenizer; without it, what ``get_tokenizer`` returns.

    Raises:
        AssertionError: It breaks a rule.
    """
    run(_check_client(client, tokenizer or client.get_tokenizer()))


async def _check_client(client: Client, tokenizer: Tokenizer) -> None:
    import tinker

    name = type(client).__name__
    tokens = tokenizer.encode(PROMPT, add_special_tokens=False)
    prompt = tinker.ModelInput.from_ints(tokens)

    async def answers(
        num_samples: int = 1, max_tokens: int = MAX_TOKENS, stop: list[str] | None = None
    ) -> list[list[int]]:
        params = tinker.SamplingParams(max_tokens=max_tokens, temperature=0.0, stop=stop)
        response = await client.sample(
            prompt=prompt, num_samples=num_samples, sampling_params=params
        )
        assert len(response.sequences) == num_samples, (
            f"{name} gave {len(response.sequences)} answers where {num_samples} were asked for"
        )
        for sequence in response.sequences:
            _check_sequence(name, sequence, max_tokens)
        return [list(sequence.tokens) for sequence in response.sequences]

    alone = (await answers())[0]
    assert len(alone) > 1, f"{name} answers {PROMPT!r} with {len(alone)} tokens: too few to test"
    together = await asyncio.gather(*(answers() for _ in range(4)), answers(2))
    for answer in (answer for response in together for answer in response):
        assert answer == alone, (
            f"{name} at temperature 0 gave {tokenizer.decode(alone)!r} alone, and "
            f"{tokenizer.decode(answer)!r} beside other requests"
        )
    short = (await answers(max_tokens=1))[0]
    assert short == alone[:1], f"{name} with max_tokens=1 gave {short}, not {alone[:1]}"
    await _check_stop(name, answers, alone, tokenizer)
    await _check_logprobs(name, client, prompt, len(tokens))


def _check_sequence(name: str, sequence: tinker.SampledSequence, max_tokens: int) -> None:
    count = len(sequence.tokens)
    assert all(isinstance(token, int) for token in sequence.tokens), f"{name}'s tokens are no ints"
    assert count <= max_tokens, f"{name} gave {count} tokens where {max_tokens} were the most"
    assert sequence.stop_reason in ("stop", "length"), (
        f"{name} stopped because of {sequence.stop_reason!r}: say 'stop' or 'length'"
    )
    assert sequence.stop_reason == "stop" or count == max_tokens, (
        f"{name} said 'length' after {count} of {max_tokens} tokens"
    )
    if sequence.logprobs is not None:
        assert len(sequence.logprobs) == count, (
            f"{name} gave {len(sequence.logprobs)} log-probabilities for {count} tokens"
        )


async def _check_stop(
    name: str,
    answers: Callable[..., Awaitable[list[list[int]]]],
    alone: list[int],
    tokenizer: Tokenizer,
) -> None:
    text = tokenizer.decode(alone)
    stop = tokenizer.decode(alone[1:2])
    if not stop or text.find(stop) < 0:
        stop = text[len(text) // 2 :]
    stopped = tokenizer.decode((await answers(stop=[stop]))[0])
    end = text.find(stop)
    assert stopped in (text[:end], text[: end + len(stop)]), (
        f"{name} with the stop string {stop!r} gave {stopped!r} of {text!r}"
    )


async def _check_logprobs(name: str, client: Client, prompt: tinker.ModelInput, count: int) -> None:
    logprobs = list(await client.compute_logprobs(prompt))
    assert len(logprobs) == count, (
        f"{name} gave {len(logprobs)} log-probabilities for a prompt of {count} tokens"
    )
    assert logprobs[0] is None, f"{name} gave the first token of a prompt a log-probability"
    assert all(
        value is not None and math.isfinite(value) and value <= 0 for value in logprobs[1:]
    ), f"{name} gave log-probabilities that are none: {logprobs[1:]}"
