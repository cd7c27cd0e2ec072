"""Reading answers in which tags enclose the thinking and the tool calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from proctor.renderers.markup import Control, Piece, spell
from proctor.renderers.messages import AnswerPart, assistant_message
from proctor.types import Message, TextPart, ThinkingPart, ToolCall, UnparsedToolCall

THINK = Control("<think>")
END_THINK = Control("</think>")
TOOL_CALL = Control("<tool_call>")
END_TOOL_CALL = Control("</tool_call>")

UNFINISHED_CALL = "the tool call does not end"


class CallError(ValueError):
    """The text of a tool call can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Tags:
    """How a family encloses thinking and tool calls.

    Attributes:
        unframe_thinking: Takes the white space off thinking that belongs to its frame.
        unframe_text: The same for the text that follows thinking.
        before_call: White space that stands between text and a tool call.
        read_call: Reads what is between the tags of a tool call, or raises CallError.
    """

    unframe_thinking: Callable[[str], str] = str
    unframe_text: Callable[[str], str] = str
    before_call: str = ""
    read_call: Callable[[str], ToolCall] | None = None

    def read(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """Reads an answer; see ``Renderer.read_answer``.

        A closing tag without an opening one ends thinking too: some prompts hold the opening one.
        """
        reader = _Reader(self, "thinking" if in_thinking else "text")
        for piece in pieces:
            reader.take(piece)
        return reader.finish()


class _Reader:
    def __init__(self, tags: Tags, state: Literal["thinking", "text", "call"]) -> None:
        self.tags = tags
        self.state = state
        self.held: list[Piece] = []
        self.parts: list[AnswerPart] = []
        self.calls: list[ToolCall] = []
        self.unparsed: list[UnparsedToolCall] = []
        self.follows: Literal["start", "thinking", "call"] = "start"
        self.moves = {
            ("text", THINK): self._open_thinking,
            ("thinking", END_THINK): self._close_thinking,
            ("text", END_THINK): self._close_unopened,
            ("thinking", THINK): self._repeat_opening,
        }
        if tags.read_call is not None:
            self.moves[("text", TOOL_CALL)] = self._open_call
            self.moves[("call", END_TOOL_CALL)] = self._close_call

    def take(self, piece: Piece) -> None:
        move = self.moves.get((self.state, piece)) if isinstance(piece, Control) else None
        if move is None:
            self.held.append(piece)
        else:
            move()

    def finish(self) -> tuple[Message, bool]:
        is_thinking = self.state == "thinking"
        if is_thinking:
            self._add_thinking()
        elif self.state == "text":
            self._add_text(before_call=False)
        else:
            raw = spell([TOOL_CALL, *self.held])
            self.unparsed.append(UnparsedToolCall(raw_text=raw, error=UNFINISHED_CALL))
        return assistant_message(self.parts, self.calls, self.unparsed), not is_thinking

    def _take_held(self) -> str:
        text = spell(self.held)
        self.held = []
        return text

    def _open_thinking(self) -> None:
        self._add_text(before_call=False)
        self.state = "thinking"

    def _repeat_opening(self) -> None:
        if self.held and spell(self.held).strip():
            self.held.append(THINK)
        else:
            self.held = []

    def _close_thinking(self) -> None:
        self._add_thinking()
        self.state, self.follows = "text", "thinking"

    def _close_unopened(self) -> None:
        if self.parts or self.calls:
            self.held.append(END_THINK)
        else:
            self._close_thinking()

    def _add_thinking(self) -> None:
        thinking = self.tags.unframe_thinking(self._take_held())
        self.parts.append(ThinkingPart(type="thinking", thinking=thinking))

    def _add_text(self, *, before_call: bool) -> None:
        text = self._take_held()
        if self.follows == "thinking":
            text = self.tags.unframe_text(text)
        if before_call:
            text = text.removesuffix(self.tags.before_call)
        if self.follows == "call" and not text.strip():
            text = ""
        self.parts.append(TextPart(type="text", text=text))

    def _open_call(self) -> None:
        self._add_text(before_call=True)
        self.state = "call"

    def _close_call(self) -> None:
        text = self._take_held()
        assert self.tags.read_call is not None
        try:
            self.calls.append(self.tags.read_call(text))
        except CallError as error:
            raw = spell([TOOL_CALL, text, END_TOOL_CALL])
            self.unparsed.append(UnparsedToolCall(raw_text=raw, error=str(error)))
        self.state, self.follows = "text", "call"


SPELLED_THINKING = Tags(
    unframe_thinking=lambda thinking: thinking.strip("\n"),
    unframe_text=lambda text: text.lstrip("\n"),
)
"""How thinking is framed where the format knows of none."""


def read_plain_text(text: str) -> tuple[Message, bool]:
    """Reads an answer in a format that knows of no thinking; see ``Renderer.read_answer``.

    What begins with ``<think>`` begins with thinking all the same.
    """
    return SPELLED_THINKING.read(with_spelled_thinking([text]), in_thinking=False)


def json_call(text: str) -> ToolCall:
    """Reads a tool call of the form ``{"name": ..., "arguments": {...}}``.

    Raises:
        CallError: It has another form.
    """
    try:
        call = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CallError(f"no JSON: {error}") from error
    if not isinstance(call, dict):
        raise CallError("no JSON object")
    name, arguments, identifier = call.get("name"), call.get("arguments"), call.get("id")
    if not isinstance(name, str):
        raise CallError("'name' is missing, or no string")
    if not isinstance(arguments, dict):
        raise CallError("'arguments' is missing, or no object")
    return ToolCall(
        id=identifier if isinstance(identifier, str) else None,
        function=ToolCall.FunctionBody(name=name, arguments=json.dumps(arguments)),
    )


_FUNCTION = re.compile(r"\s*<function=([^>\n]+)>(.*)</function>\s*", re.DOTALL)
_PARAMETER = re.compile(r"\s*<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", re.DOTALL)


def xml_call(text: str) -> ToolCall:
    """Reads a tool call of the form ``<function=name><parameter=key>value</parameter>``.

    A value that is JSON counts as that; any other is a string.

    Raises:
        CallError: It has another form.
    """
    function = _FUNCTION.fullmatch(text)
    if function is None:
        raise CallError("no <function=...> block")
    arguments = {}
    body = function.group(2)
    position = 0
    while parameter := _PARAMETER.match(body, position):
        arguments[parameter.group(1).strip()] = _json_or_text(parameter.group(2))
        position = parameter.end()
    if body[position:].strip():
        raise CallError("text in the <function> block that is no parameter")
    return ToolCall(
        function=ToolCall.FunctionBody(
            name=function.group(1).strip(), arguments=json.dumps(arguments)
        )
    )


def _json_or_text(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def json_or_xml_call(text: str) -> ToolCall:
    """Reads a tool call of either form.

    Raises:
        CallError: It has another form.
    """
    return xml_call(text) if "<function=" in text else json_call(text)


def with_spelled_thinking(pieces: Sequence[Piece], *, in_thinking: bool = False) -> list[Piece]:
    """An answer's pieces with the control tokens of thinking that are spelled in its text.

    For a format that knows of no thinking: the first ``<think>`` counts where the answer begins
    with it, and the first ``</think>`` where thinking is open.

    Args:
        pieces: Text and control tokens.
        in_thinking: Whether the answer begins inside thinking.
    """
    found = list(pieces)
    start = found[0].lstrip() if found and isinstance(found[0], str) else ""
    if start.startswith(THINK.spelling):
        found[:1] = [THINK, start.removeprefix(THINK.spelling)]
    elif not in_thinking:
        return found
    for index, piece in enumerate(found):
        if isinstance(piece, str) and END_THINK.spelling in piece:
            thinking, _, rest = piece.partition(END_THINK.spelling)
            found[index : index + 1] = [thinking, END_THINK, rest]
            break
    return found
