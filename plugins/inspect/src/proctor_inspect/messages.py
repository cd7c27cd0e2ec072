"""Messages, tools and tool calls: Inspect's forms and Proctor's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentReasoning,
    ContentText,
)
from inspect_ai.tool import ToolCall as InspectToolCall, ToolInfo

from proctor import ConfigError, Message, ToolCall, ToolSpec, read_image, text_with_images


def from_inspect(message: ChatMessage) -> Message:
    """A message of Inspect's as Proctor has it; no text is altered.

    Raises:
        ConfigError: It holds something that no renderer has a format for, such as audio.
    """
    content: Any = message.content
    if not isinstance(content, str):
        content = [_part(item) for item in content]
    converted = Message(role=message.role, content=content)
    if message.role == "tool":
        if message.tool_call_id is not None:
            converted["tool_call_id"] = message.tool_call_id
        if message.function is not None:
            converted["name"] = message.function
        if message.error is not None and not message.text:
            converted["content"] = message.error.message
    if message.role == "assistant" and message.tool_calls:
        converted["tool_calls"] = [
            ToolCall(
                id=call.id,
                function=ToolCall.FunctionBody(
                    name=call.function, arguments=json.dumps(call.arguments, ensure_ascii=False)
                ),
            )
            for call in message.tool_calls
        ]
    return converted


def _part(item: Content) -> Any:
    if isinstance(item, ContentText):
        return {"type": "text", "text": item.text}
    if isinstance(item, ContentReasoning):
        return {"type": "thinking", "thinking": item.reasoning}
    if isinstance(item, ContentImage):
        return {"type": "image", "image": item.image}
    raise ConfigError(
        f"a message holds {item.type}, which no renderer has a format for", where="inspect"
    )


def to_inspect(answer: Message, model: str) -> ChatMessageAssistant:
    """A model's answer as Inspect has it: thinking as reasoning, malformed tool calls as such."""
    content: Any = answer["content"]
    if not isinstance(content, str):
        content = list(contents(content))
    calls = [_tool_call(number, call) for number, call in enumerate(answer.get("tool_calls", ()))]
    for number, unparsed in enumerate(answer.get("unparsed_tool_calls", ())):
        calls.append(
            InspectToolCall(
                id=f"unparsed-{number}",
                function="unknown",
                arguments={},
                parse_error=f"{unparsed.error}: {unparsed.raw_text}",
            )
        )
    return ChatMessageAssistant(
        content=content, tool_calls=calls or None, model=model, source="generate"
    )


def contents(parts: Iterable[Any]) -> Iterable[Content]:
    """The parts of a message as Inspect has them."""
    for part in parts:
        if part["type"] == "text":
            yield ContentText(text=part["text"])
        elif part["type"] == "thinking":
            yield ContentReasoning(reasoning=part["thinking"])
        elif part["type"] == "image":
            yield _image(part)


def _image(part: Any) -> Content:
    """An image as Inspect has it; of a run's record, which has its digest only, a label."""
    if "digest" in part:
        return ContentText(text=text_with_images(Message(role="user", content=[part])))
    image = part["image"]
    return ContentImage(image=image if isinstance(image, str) else read_image(image).data_uri)


def _tool_call(number: int, call: ToolCall) -> InspectToolCall:
    try:
        arguments = json.loads(call.function.arguments)
        error = None if isinstance(arguments, dict) else "the arguments are no JSON object"
    except ValueError as problem:
        arguments, error = {}, f"the arguments are no JSON: {problem}"
    return InspectToolCall(
        id=call.id or f"call-{number}",
        function=call.function.name,
        arguments=arguments if isinstance(arguments, dict) else {},
        parse_error=error,
    )


def tool_spec(tool: ToolInfo) -> ToolSpec:
    """A tool's declaration as a renderer takes it."""
    return ToolSpec(
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters.model_dump(exclude_none=True),
    )


def to_chat_message(message: Any) -> ChatMessage:
    """A message of ours, of whichever role, as Inspect has it.

    Args:
        message: The message, or its form in a run's record.
    """
    content: Any = message["content"]
    if not isinstance(content, str):
        content = list(contents(content))
    role = message["role"]
    if role == "system":
        return ChatMessageSystem(content=content)
    if role == "tool":
        call, name = message.get("tool_call_id"), message.get("name")
        return ChatMessageTool(content=content, tool_call_id=call, function=name)
    if role == "assistant":
        given = [ToolCall.model_validate(call) for call in message.get("tool_calls", ())]
        calls = [_tool_call(number, call) for number, call in enumerate(given)]
        return ChatMessageAssistant(content=content, tool_calls=calls or None)
    return ChatMessageUser(content=content)
