"""``kimi_k2``: Moonshot AI's Kimi K2 Thinking."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.call_sections import CallSections
from proctor.renderers.markup import Block, Control, Piece
from proctor.renderers.messages import calls_of, content_of, parts_of
from proctor.renderers.tagged import END_THINK, THINK, CallError
from proctor.types import Message, ToolCall, ToolSpec

_SYSTEM = Control("<|im_system|>")
_USER = Control("<|im_user|>")
_ASSISTANT = Control("<|im_assistant|>")
_MIDDLE = Control("<|im_middle|>")
_END = Control("<|im_end|>")
_CALLS = Control("<|tool_calls_section_begin|>")
_END_CALLS = Control("<|tool_calls_section_end|>")
_CALL = Control("<|tool_call_begin|>")
_CALL_ARGUMENTS = Control("<|tool_call_argument_begin|>")
_END_CALL = Control("<|tool_call_end|>")

_HEADERS = {"user": _USER, "assistant": _ASSISTANT}
"""The token that opens a role's message; any other role's is a system message's."""

_DEFAULT_SYSTEM = "You are Kimi, an AI assistant created by Moonshot AI."

_CALL_ID = re.compile(r"(?:[^.:]+\.)?([^:]+):\d+")


def _make_call(identifier: str, arguments: str) -> ToolCall:
    """A call of its id, ``functions.name:0``, and its arguments."""
    read = _CALL_ID.fullmatch(identifier)
    if read is None:
        raise CallError(f"its id {identifier!r} is not functions.NAME:INDEX")
    body = ToolCall.FunctionBody(name=read.group(1), arguments=arguments)
    return ToolCall(id=identifier, function=body)


_TOOL_CALLS = CallSections(
    (_CALLS,),
    (_END_CALLS,),
    _CALL,
    _CALL_ARGUMENTS,
    _END_CALL,
    make=_make_call,
)


class KimiK2Renderer(Renderer):
    """Kimi K2's chat format; the model opens its thinking by itself.

    A conversation without a system message gets Kimi's own.
    """

    name = "kimi_k2"
    version = 2
    controls = (
        _SYSTEM,
        _USER,
        _ASSISTANT,
        _MIDDLE,
        THINK,
        END_THINK,
        *_TOOL_CALLS.controls,
    )
    stops = (_END,)
    other_ends = (Control("[EOS]"),)
    thinking_start = THINK
    differs_on = frozenset({"unicode in an argument"})

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """A header and a content for each message, and the header of the next.

        Thinking is kept after the last answer that called no tool: in the turn being produced.
        """
        messages = _with_system(messages)
        ended = [
            index
            for index, message in enumerate(messages)
            if message["role"] == "assistant" and not message.get("tool_calls")
        ]
        turn_start = ended[-1] + 1 if ended else 0
        blocks: list[Block] = []
        for index, message in enumerate(messages):
            if message["role"] == "assistant":
                blocks.append(_header("assistant", "assistant"))
                content = self._content(message, keeps_thinking=index >= turn_start)
                blocks.append([*content, _END])
            elif message["role"] == "tool":
                called = message.get("tool_call_id") or _id_of_call(messages, index)
                blocks.append([*_header("tool", message.get("name") or "tool"), _return_of(called)])
                blocks.append([*content_of(message, self.name), _END])
            else:
                blocks.append(_header(message["role"], message["role"]))
                blocks.append([*content_of(message, self.name), _END])
        return [*blocks, _header(role, role)]

    def _content(self, message: Message, *, keeps_thinking: bool) -> list[Piece]:
        parts = parts_of(message, self.name)
        thinking = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        pieces: list[Piece] = [THINK, thinking if keeps_thinking else "", END_THINK, text]
        calls = calls_of(message)
        if calls:
            pieces.append(_CALLS)
            for index, call in enumerate(calls):
                identifier = call.id or f"functions.{call.name}:{index}"
                pieces.extend((_CALL, identifier, _CALL_ARGUMENTS, call.arguments, _END_CALL))
            pieces.append(_END_CALLS)
        return pieces

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The thinking, if only empty, the text, the tool calls and the end."""
        return [*self._content(message, keeps_thinking=True), _END]

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The thinking, the text and the tool calls."""
        return _TOOL_CALLS.read(pieces, in_thinking)

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """A message that declares the tools, and the system message."""
        messages = []
        if tools:
            declared = [{"type": "function", "function": tool} for tool in tools]
            text = json.dumps(declared, separators=(",", ":"), sort_keys=True)
            messages.append(Message(role="tool_declare", content=text))
        return [*messages, Message(role="system", content=system_prompt or _DEFAULT_SYSTEM)]


def _with_system(messages: Sequence[Message]) -> list[Message]:
    """The conversation with Kimi's own system message, where it has none at its start."""
    declared = 1 if messages and messages[0]["role"] == "tool_declare" else 0
    head, rest = messages[:declared], messages[declared:]
    if rest and rest[0]["role"] == "system":
        return list(messages)
    return [*head, Message(role="system", content=_DEFAULT_SYSTEM), *rest]


def _header(role: str, shown: str) -> list[Piece]:
    return [_HEADERS.get(role, _SYSTEM), shown, _MIDDLE]


def _return_of(identifier: str) -> str:
    return f"## Return of {identifier}\n"


def _id_of_call(messages: Sequence[Message], index: int) -> str:
    """The id of the call whose result an unnamed tool message holds, if there was only one."""
    before = next((calls for m in reversed(messages[:index]) if (calls := calls_of(m))), [])
    if len(before) != 1:
        raise RendererError(
            "a tool's result doesn't say which call it answers",
            where="renderer kimi_k2",
            fix="give the message a 'tool_call_id'",
        )
    return before[0].id or f"functions.{before[0].name}:0"
