"""Inkling's answers where they are unfinished: tinker-cookbook gives those back as raw text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from proctor import Message, Termination, UnparsedToolCall


class InklingRenderer:
    """tinker-cookbook's ``tml_v0``, with unfinished answers taken apart too.

    An answer is messages of the model, each with a header that says what it is: thinking, text, or
    a tool call.

    Args:
        foreign: tinker-cookbook's renderer.
        tokenizer: Inkling's tokenizer, as tinker-cookbook has it.
    """

    version = 2
    takes_images = True

    def __init__(self, foreign: Any, tokenizer: Any) -> None:
        self._foreign = foreign
        self._tokenizer = tokenizer
        encode = tokenizer.tml_tokenizer.encode_special
        self._model, self._end_message = encode("message_model"), encode("end_message")
        self._thinking, self._text = encode("content_thinking"), encode("content_text")
        self._end = encode("content_model_end_sampling")
        self._others = {encode(f"message_{role}") for role in ("user", "system", "tool")}

    def __getattr__(self, name: str) -> Any:  # the foreign renderer's other methods
        return getattr(self._foreign, name)

    def parse_response(self, response: list[int]) -> tuple[Message, Termination]:
        """Reads an answer; one that did not end as it should is read message by message.

        A turn of somebody else, which the model makes up, ends it. tinker-cookbook's renderer gives
        that turn back, and calls its end a clean one.
        """
        own = next((i for i, token in enumerate(response) if token in self._others), len(response))
        if own == len(response):
            message, ending = self._foreign.parse_response(response)
            termination = Termination(str(ending))
            if termination is not Termination.MALFORMED:
                return message, termination
        read: Message = {"role": "assistant", "content": []}
        for part in self._messages(response[:own]):
            self._add(read, part)
        return read, Termination.MALFORMED

    def _messages(self, response: Sequence[int]) -> Iterator[list[int]]:
        """The model's messages, up to what belongs to none."""
        started = [i for i, token in enumerate(response) if token == self._model]
        for start, after in pairwise([*started, len(response)]):
            message = [token for token in response[start:after] if token != self._end]
            if self._end_message not in message:
                yield message
                continue
            end = message.index(self._end_message) + 1
            yield message[:end]
            if message[end:]:
                return

    def _add(self, read: Message, message: list[int]) -> None:
        """Adds one of the model's messages to what was read."""
        kind = message[1] if len(message) > 1 else None
        content: list[Any] = read["content"]  # type: ignore[assignment]  # made as a list
        text = self._tokenizer.decode([t for t in message[2:] if t != self._end_message])
        if kind == self._thinking:
            content.append({"type": "thinking", "thinking": text})
        elif kind == self._text:
            content.append({"type": "text", "text": text})
        elif kind is not None:
            called, _ = self._foreign.parse_response([*message, self._end])
            if calls := called.get("tool_calls"):
                read["tool_calls"] = [*read.get("tool_calls", []), *calls]
            else:
                raw = self._tokenizer.decode(message)
                unparsed = UnparsedToolCall(raw_text=raw, error="the tool call does not end")
                read["unparsed_tool_calls"] = [*read.get("unparsed_tool_calls", []), unparsed]
