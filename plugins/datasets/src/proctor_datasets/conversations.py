"""Conversations in a row: lists of messages, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from proctor import DatasetError, Message, ToolCall
from proctor_datasets.columns import as_text

_KEYS = {"role", "content", "name", "tool_calls", "tool_call_id"}
_PARTS = {"text": "text", "thinking": "thinking", "image": "image"}


def is_conversation(value: Any) -> bool:
    """Whether a value is meant as a list of messages."""
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, Mapping) and "role" in item for item in value)
    )


def read_conversation(value: Sequence[Mapping[str, Any]], name: str, where: str) -> list[Message]:
    """The messages of a conversation that the model continues.

    Raises:
        DatasetError: A message is malformed, or the last one is the assistant's.
    """
    messages = [_message(item, f"{name}[{number}]", where) for number, item in enumerate(value)]
    if messages[-1]["role"] == "assistant":
        raise DatasetError(
            f"the conversation in {name!r} ends with an assistant's message: nothing to answer",
            where=where,
            fix="leave that message out, and give its text as the target",
        )
    return messages


def _message(item: Mapping[str, Any], name: str, where: str) -> Message:
    # columnar files give each message the keys that any of them has
    given = {key: value for key, value in item.items() if value is not None}
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise DatasetError(f"message {name} has the unknown key {unknown[0]!r}", where=where)
    role = given.get("role")
    if not isinstance(role, str) or not role:
        raise DatasetError(f"message {name} has no role", where=where)
    if "content" not in given and "tool_calls" not in given:
        raise DatasetError(f"message {name} has no content", where=where)
    content = given.get("content", "")
    if not isinstance(content, str):
        content = _parts(content, name, where)
    message = Message(role=role, content=content)
    if "name" in given:
        message["name"] = as_text(given["name"], name, where)
    if "tool_call_id" in given:
        message["tool_call_id"] = as_text(given["tool_call_id"], name, where)
    if "tool_calls" in given:
        try:
            message["tool_calls"] = [ToolCall.model_validate(c) for c in given["tool_calls"]]
        except (ValidationError, TypeError) as error:
            raise DatasetError(f"message {name} has a malformed tool call", where=where) from error
    return message


def _parts(content: Any, name: str, where: str) -> Any:
    if not isinstance(content, (list, tuple)):
        raise DatasetError(f"the content of message {name} is no text", where=where)
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        key = _PARTS.get(str(kind))
        if key is None or not isinstance(part.get(key), str):
            raise DatasetError(
                f"message {name} has a part of the type {kind!r}",
                where=where,
                fix="parts are {type: text, text: ...}, likewise thinking and image",
            )
        parts.append({"type": kind, key: part[key]})
    return parts
