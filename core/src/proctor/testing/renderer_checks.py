"""The rules of renderers."""

from __future__ import annotations

from collections.abc import Iterator

from proctor.renderers.adapted import ForeignRenderer
from proctor.renderers.base import Renderer
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, Termination, message_text

ANSWER = "Paris is the capital of France."


def check_renderer(renderer: Renderer | ForeignRenderer, tokenizer: Tokenizer) -> None:
    """Holds a renderer to its rules.

    A prompt holds every message's text, begins with one start token at most, and is the same each
    time; an answer that ends with a stop sequence is read back without it, and one that does not
    end is malformed. A renderer whose answers are more than text and a stop says with
    ``answer_tokens(message)`` what its model would sample.

    Args:
        renderer: The renderer.
        tokenizer: The tokenizer that it was made with.

    Raises:
        AssertionError: It breaks a rule.
    """
    name = type(renderer).__name__
    conversation = [
        Message(role="user", content="What is the capital of France?"),
        Message(role="assistant", content="Paris."),
        Message(role="user", content="And of Germany?"),
    ]
    tokens = _prompt(renderer, conversation)
    assert tokens, f"{name} made an empty prompt"
    assert tokens == _prompt(renderer, conversation), f"{name} made two prompts of one conversation"
    text = tokenizer.decode(tokens)
    position = 0
    for message in conversation:
        found = text.find(message_text(message), position)
        assert found >= 0, f"{name}'s prompt lacks {message_text(message)!r}, or has it too early"
        position = found
    start = getattr(tokenizer, "bos_token_id", None)
    assert start is None or tokens[:2] != [start, start], f"{name}'s prompt has two start tokens"
    _check_answers(name, renderer, tokenizer)


def _prompt(renderer: Renderer | ForeignRenderer, messages: list[Message]) -> list[int]:
    return list(renderer.build_generation_prompt(messages).to_ints())


def _check_answers(name: str, renderer: Renderer | ForeignRenderer, tokenizer: Tokenizer) -> None:
    stops = renderer.get_stop_sequences()
    assert stops, f"{name} has no stop sequences"
    kinds = {type(stop) for stop in stops}
    assert kinds in ({str}, {int}), f"{name}'s stop sequences are strings, or token ids: {stops!r}"
    for tokens, stop in _ended_answers(renderer, tokenizer, stops):
        message, termination = renderer.parse_response(tokens)
        read = message_text(message).strip()
        assert read == ANSWER, f"{name} read {read!r} from {ANSWER!r} and its stop {stop!r}"
        assert Termination(str(termination)).is_clean, (
            f"{name} says that an answer is {termination} which ends with its stop {stop!r}"
        )
    tokens = tokenizer.encode(ANSWER, add_special_tokens=False)
    _, termination = renderer.parse_response(tokens)
    assert not Termination(str(termination)).is_clean, (
        f"{name} says that an answer ended by {termination} which has no end"
    )


def _ended_answers(
    renderer: Renderer | ForeignRenderer, tokenizer: Tokenizer, stops: list[str] | list[int]
) -> Iterator[tuple[list[int], str | int]]:
    """The answer's tokens with an end that the renderer owns, and that end."""
    if isinstance(stops[0], int) and hasattr(renderer, "answer_tokens"):
        tokens = list(renderer.answer_tokens(Message(role="assistant", content=ANSWER)))
        yield tokens, tokens[-1]
        return
    for stop in stops:
        if isinstance(stop, str):
            yield list(tokenizer.encode(ANSWER + stop, add_special_tokens=False)), stop
        else:
            yield [*tokenizer.encode(ANSWER, add_special_tokens=False), stop], stop
