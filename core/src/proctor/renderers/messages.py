"""Reading messages: their text, thinking and tool calls, whoever made them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from proctor.errors import RendererError
from proctor.renderers.markup import Markup, Piece
from proctor.types import (
    Message,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolSpec,
    UnparsedToolCall,
)

AnswerPart = TextPart | ThinkingPart


@dataclass(frozen=True, slots=True)
class CallView:
    """A tool call of a message, whether it came as an object or as a mapping.

    Attributes:
        id: The call's id, if it has one.
        name: The function's name.
        arguments: Its arguments, as JSON text.
    """

    id: str | None
    name: str
    arguments: str

    @property
    def parsed(self) -> Any:  # JSON that a model, or a dataset's author, wrote
        """The arguments as a JSON value.

        Raises:
            RendererError: They are no JSON.
        """
        try:
            return json.loads(self.arguments) if self.arguments else {}
        except json.JSONDecodeError as error:
            raise RendererError(
                f"the arguments of a call of {self.name!r} are no JSON: {error}",
                fix="a tool call's arguments are a JSON object",
            ) from error


def parts_of(message: Message, renderer: str) -> list[AnswerPart]:
    """The text and thinking of a message, in order.

    Raises:
        RendererError: It has a part of another kind.
    """
    content = message["content"]
    if isinstance(content, str):
        return [TextPart(type="text", text=content)] if content else []
    parts: list[AnswerPart] = []
    for part in content:
        if part["type"] == "text" or part["type"] == "thinking":
            parts.append(part)
        else:
            one = "one for images, as cookbook/* has for models that see"
            raise RendererError(
                f"it has no format for a part of type {part['type']!r}",
                where=f"renderer {renderer}",
                fix="leave such messages out of the dataset, or use a renderer that has "
                + (one if part["type"] == "image" else "one"),
            )
    return parts


def text_of(message: Message, renderer: str) -> str:
    """The text of a message that has nothing else.

    Raises:
        RendererError: It has a part of another kind.
    """
    texts = []
    for part in parts_of(message, renderer):
        if part["type"] == "thinking":
            raise RendererError(
                f"it has no format for thinking in a message of the role {message['role']!r}",
                where=f"renderer {renderer}",
                fix="leave the thinking out",
            )
        texts.append(part["text"])
    return "".join(texts)


def content_of(message: Message, renderer: str) -> list[Piece]:
    """The content of a message that has only text, as pieces.

    Raises:
        RendererError: It has a part of another kind.
    """
    content = message["content"]
    if isinstance(content, Markup):
        return list(content.block)
    return [text_of(message, renderer)]


def calls_of(message: Message) -> list[CallView]:
    """The tool calls of a message.

    Raises:
        RendererError: One has no name.
    """
    return [_call_view(call) for call in message.get("tool_calls") or ()]


def _call_view(call: Any) -> CallView:  # ours, tinker-cookbook's, or a mapping that has its keys
    try:
        if isinstance(call, Mapping):
            function = call.get("function", call)
            name, arguments = function["name"], function["arguments"]
            identifier = call.get("id")
        else:
            name, arguments = call.function.name, call.function.arguments
            identifier = call.id
    except (AttributeError, KeyError, TypeError) as error:
        raise RendererError(
            f"a tool call is {call!r}",
            fix="give it as proctor.ToolCall, or as a mapping with function.name and .arguments",
        ) from error
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return CallView(identifier, name, text)


def refuse_tools(message: Message, renderer: str) -> None:
    """Raises where a message calls a tool or holds a tool's result.

    Raises:
        RendererError: It does.
    """
    if message["role"] == "tool" or message.get("tool_calls"):
        raise RendererError(
            "it has no format for tool calls and their results",
            where=f"renderer {renderer}",
            fix="use a model and a renderer that have one",
        )


def assistant_message(
    parts: Iterable[AnswerPart],
    tool_calls: Sequence[ToolCall] = (),
    unparsed: Sequence[UnparsedToolCall] = (),
) -> Message:
    """An assistant's message; its content is a plain string where there is only text."""
    joined: list[AnswerPart] = []
    for part in parts:
        last = joined[-1] if joined else None
        if part["type"] == "text" and last is not None and last["type"] == "text":
            joined[-1] = TextPart(type="text", text=last["text"] + part["text"])
        elif (part["text"] if part["type"] == "text" else part["thinking"]) != "":
            joined.append(part)
    message = Message(role="assistant", content="")
    if any(part["type"] == "thinking" for part in joined):
        message["content"] = [*joined]
    elif joined and joined[0]["type"] == "text":
        message["content"] = joined[0]["text"]
    if tool_calls:
        message["tool_calls"] = list(tool_calls)
    if unparsed:
        message["unparsed_tool_calls"] = list(unparsed)
    return message


def refuse_thinking(message: Message, renderer: str) -> None:
    """Raises where a message holds thinking, and the prompt has closed it already.

    Raises:
        RendererError: It does.
    """
    if any(part["type"] == "thinking" for part in parts_of(message, renderer)):
        raise RendererError(
            "its prompt closes the thinking, so an answer has none",
            where=f"renderer {renderer}",
            fix="use the renderer with thinking, or leave the thinking out",
        )


def checked_tools(tools: Iterable[object], renderer: str) -> list[ToolSpec]:
    """Declarations of tools in one shape: a name, and perhaps a description and parameters.

    Args:
        tools: What somebody declares, with or without ``{"type": "function", "function": ...}``
            around each.
        renderer: The renderer's name, for the message.

    Raises:
        RendererError: One is no declaration, or two have one name.
    """
    checked = [_checked_tool(tool, renderer) for tool in tools]
    names = [tool["name"] for tool in checked]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _tool_error(f"two tools are called {twice[0]!r}", renderer)
    return checked


def _checked_tool(given: object, renderer: str) -> ToolSpec:
    tool = given.get("function", given) if isinstance(given, Mapping) else given
    if not isinstance(tool, Mapping):
        raise _tool_error(f"{given!r:.100} is no declaration of a tool", renderer)
    name = tool.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _tool_error(f"a tool's declaration has no name: {given!r:.100}", renderer)
    for key, kind, what in (("description", str, "text"), ("parameters", Mapping, "JSON schema")):
        if tool.get(key) is not None and not isinstance(tool[key], kind):
            raise _tool_error(f"in the tool {name!r}, {key!r} is no {what}", renderer)
    return cast(ToolSpec, {key: value for key, value in tool.items() if value is not None})


def _tool_error(problem: str, renderer: str) -> RendererError:
    return RendererError(
        problem,
        where=f"renderer {renderer}",
        fix="declare it as {name: ..., description: ..., parameters: {...}}",
    )
