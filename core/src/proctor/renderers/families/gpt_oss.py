"""``gpt_oss_low_reasoning``, ``_medium_`` and ``_high_``: OpenAI's gpt-oss, in Harmony."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.families.harmony_tools import declare_namespace
from proctor.renderers.markup import Block, Control, Piece, spell
from proctor.renderers.messages import AnswerPart, assistant_message, calls_of, content_of, parts_of
from proctor.renderers.tagged import UNFINISHED_CALL
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import (
    Message,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolSpec,
    UnparsedToolCall,
)

_START = Control("<|start|>")
_CHANNEL = Control("<|channel|>")
_CONSTRAIN = Control("<|constrain|>")
_MESSAGE = Control("<|message|>")
_END = Control("<|end|>")
_RETURN = Control("<|return|>")
_CALL = Control("<|call|>")

_SYSTEM = """You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: {date}

Reasoning: {effort}

# Valid channels: analysis, commentary, final. Channel must be included for every message."""

_TOOLS_GO_TO = "Calls to these tools must go to the commentary channel: 'functions'."

_SYSTEM_ROLE = "_harmony_system"
"""The role of what Harmony calls system; a conversation's own system message is its developer's."""

_CHANNEL_NAME = re.compile(r"<\|channel\|>\s*([^<\s]+)")
_RECIPIENT = re.compile(r"\bto=([^<\s]+)")
_ROLE = re.compile(r"<\|start\|>\s*([^<\s]+)")


class GptOssMediumReasoningRenderer(Renderer):
    """Harmony, with OpenAI's system message and medium reasoning.

    The system message has a date in it: the day on which the renderer is made.

    Args:
        tokenizer: The model's tokenizer.
        current_date: Another date for the system message, as YYYY-MM-DD.
    """

    name = "gpt_oss_medium_reasoning"
    version = 2
    effort: ClassVar[str] = "medium"
    controls = (_START, _CHANNEL, _CONSTRAIN, _MESSAGE, _END)
    stops = (_RETURN, _CALL)
    template_differences = (
        (r"(every message\.)\n(Calls to)", r"\1<|end|><|start|>system<|message|>\2"),
        (r"\(_: \{\n", "(_:\n{\n"),
        (r"(<\|channel\|>commentary )(json<\|message\|>)", r"\1<|constrain|>\2"),
        (r'(commentary<\|message\|>)"([^"\\]*)"(<\|end\|>)', r"\1\2\3"),
    )
    differs_on = frozenset(
        {
            "thinking in the history",
            "a tool call after text",
            "every type of argument after text",
            "a result in JSON",
            "a result of several lines",
            "a result that ends its line",
            "unicode in an argument",
            "several calls",
            "results out of order",
        }
    )
    other_ends = (Control("<|endoftext|>"),)

    def __init__(self, tokenizer: Tokenizer, current_date: str | None = None) -> None:
        super().__init__(tokenizer)
        self.current_date = current_date or date.today().isoformat()

    def __init_subclass__(cls) -> None:
        """Tells the tokenizer's own template about the effort."""
        super().__init_subclass__()
        cls.template_arguments = {"reasoning_effort": cls.effort}

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """The system message, each message, and the header of the next."""
        system = _SYSTEM.format(date=self.current_date, effort=self.effort)
        blocks: list[Block] = [[_START, "system"], [_MESSAGE, system, _END]]
        layouts = {"assistant": self._assistant, "tool": self._tool, "system": self._developer}
        for index, message in enumerate(messages):
            blocks.extend(layouts.get(message["role"], self._plain)(messages, index))
        return [*blocks, [_START, role]]

    def _plain(self, messages: Sequence[Message], index: int) -> list[Block]:
        message = messages[index]
        role = "system" if message["role"] == _SYSTEM_ROLE else message["role"]
        return [[_START, role], [_MESSAGE, *content_of(message, self.name), _END]]

    def _developer(self, messages: Sequence[Message], index: int) -> list[Block]:
        instructions = ["# Instructions\n\n", *content_of(messages[index], self.name), "\n\n"]
        return [[_START, "developer"], [_MESSAGE, *instructions, _END]]

    def _tool(self, messages: Sequence[Message], index: int) -> list[Block]:
        name = messages[index].get("name") or _name_of_caller(messages, index)
        if not name.startswith("functions."):
            name = f"functions.{name}"
        content = content_of(messages[index], self.name)
        return [
            [_START, f"{name} to=assistant"],
            [_CHANNEL, "commentary", _MESSAGE, *content, _END],
        ]

    def _assistant(self, messages: Sequence[Message], index: int) -> list[Block]:
        end = _RETURN if index == len(messages) - 1 else _END
        return [[_START, "assistant"], self._segments(messages[index], end)]

    def _segments(self, message: Message, end: Control) -> Block:
        """An answer's channels: analysis, then either tool calls or the final text."""
        parts = parts_of(message, self.name)
        thinking = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        calls = calls_of(message)
        block: list[Piece] = []
        if thinking:
            block.extend((_CHANNEL, "analysis", _MESSAGE, thinking, _END, _START, "assistant"))
        if not calls:
            return [*block, _CHANNEL, "final", _MESSAGE, text, end]
        if text:
            block.extend((_CHANNEL, "commentary", _MESSAGE, text, _END, _START, "assistant"))
        for number, call in enumerate(calls):
            if number:
                block.extend((_START, "assistant"))
            block.extend(
                (f" to=functions.{call.name}", _CHANNEL, "commentary ", _CONSTRAIN, "json")
            )
            block.extend((_MESSAGE, call.arguments, _CALL))
        return block

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The answer's channels and its end."""
        return self._segments(message, _RETURN)

    def prefill_tokens(self, prefill: str) -> list[int]:
        """The token ids of the start of an answer.

        Raises:
            RendererError: It doesn't begin with a header.
        """
        if not prefill.lstrip().startswith((_CHANNEL.spelling, "to=")):
            raise RendererError(
                "an answer in Harmony begins with a channel",
                where=f"renderer {self.name}",
                fix="begin the prefill with <|channel|>final<|message|>",
            )
        return super().prefill_tokens(prefill)

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The channels: analysis is thinking, final and commentary text, calls to functions.

        A turn of somebody else, which the model makes up, ends the answer and is no part of it: the
        sampling should have ended there, so the answer is malformed.
        """
        parts: list[AnswerPart] = []
        calls: list[ToolCall] = []
        unparsed: list[UnparsedToolCall] = []
        may_end = True
        for index, (head, body, is_closed) in enumerate(_segments(pieces)):
            if _role_of(head) not in ("", "assistant"):
                may_end = False
                break
            may_end = is_closed or body is not None
            recipient = _RECIPIENT.search(head)
            channel = _CHANNEL_NAME.search(head)
            if recipient and recipient.group(1) not in ("assistant", "user", "all"):
                raw = head + ("" if body is None else _MESSAGE.spelling + body)
                call = _read_call(recipient.group(1), body, raw)
                (calls if isinstance(call, ToolCall) else unparsed).append(call)  # type: ignore[arg-type]
            elif body is None:
                # A header that never came to its message says nothing, unless there was no header.
                if channel is None and index == 0:
                    parts.append(TextPart(type="text", text=head))
            elif channel is not None and channel.group(1) == "analysis":
                parts.append(ThinkingPart(type="thinking", thinking=body))
                may_end = is_closed
            else:
                parts.append(TextPart(type="text", text=body))
        return assistant_message(parts, calls, unparsed), may_end

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """A system message that says where calls go, and a developer message that declares."""
        messages = []
        sections = []
        if system_prompt:
            sections.append(f"# Instructions\n\n{system_prompt}")
        if tools:
            messages.append(Message(role=_SYSTEM_ROLE, content=_TOOLS_GO_TO))
            sections.append(declare_namespace(tools))
        if sections:
            messages.append(Message(role="developer", content="\n\n".join(sections)))
        return messages


class GptOssLowReasoningRenderer(GptOssMediumReasoningRenderer):
    """Harmony, with OpenAI's system message and low reasoning."""

    name = "gpt_oss_low_reasoning"
    effort = "low"


class GptOssHighReasoningRenderer(GptOssMediumReasoningRenderer):
    """Harmony, with OpenAI's system message and high reasoning."""

    name = "gpt_oss_high_reasoning"
    effort = "high"


def _name_of_caller(messages: Sequence[Message], index: int) -> str:
    """The function whose result a nameless tool message holds, from the calls before it."""
    wanted = messages[index].get("tool_call_id")
    for message in reversed(messages[:index]):
        calls = calls_of(message)
        for call in calls:
            if call.id == wanted or len(calls) == 1:
                return call.name
        if calls:
            break
    raise RendererError(
        "a tool's result doesn't say which tool it is from",
        where="renderer gpt_oss",
        fix="give the message a 'name'",
    )


def _role_of(head: str) -> str:
    """The role in a header; empty where it has none, as the first one, which the prompt began."""
    found = _ROLE.match(head)
    return found.group(1) if found else ""


def _segments(pieces: Sequence[Piece]) -> list[tuple[str, str | None, bool]]:
    """An answer's messages: header, body (None where there is none) and whether it was closed.

    The first header begins in the prompt; that of a later one keeps its ``<|start|>``, by which its
    role is known. Special tokens inside a body are text in it.
    """
    found: list[tuple[str, str | None, bool]] = []
    head: list[Piece] = []
    body: list[Piece] | None = None
    for piece in pieces:
        if body is None:
            if piece == _MESSAGE:
                body = []
            elif piece == _START:
                head = [piece]
            else:
                head.append(piece)
        elif piece == _END:
            found.append((spell(head), spell(body), True))
            head, body = [], None
        else:
            body.append(piece)
    if body is not None or spell(head).strip():
        found.append((spell(head), None if body is None else spell(body), False))
    return found


def _read_call(recipient: str, body: str | None, raw: str) -> ToolCall | UnparsedToolCall:
    if body is None or not body.strip():
        return UnparsedToolCall(raw_text=raw, error=UNFINISHED_CALL)
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        return UnparsedToolCall(raw_text=raw, error=f"no JSON: {error}")
    name = recipient.removeprefix("functions.")
    return ToolCall(function=ToolCall.FunctionBody(name=name, arguments=body.strip()))
