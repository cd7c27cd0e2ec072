"""Conversations in a row: lists of messages, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from proctor import DatasetError, Message, ToolCall
from proctor_datasets.columns import as_text
from proctor_datasets.images import OPEN, given_image

_KEYS = {"role", "content", "name", "tool_calls", "tool_call_id"}
_PARTS = {"text": "text", "thinking": "thinking"}


def is_conversation(value: Any) -> bool:
    """Whether a value is meant as a list of messages."""
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, Mapping) and "role" in item for item in value)
    )


def read_conversation(
    value: Sequence[Mapping[str, Any]], name: str, where: str, folder: Path | None = None
) -> list[Message]:
    """The messages of a conversation that the model continues.

    Args:
        value: The conversation.
        name: The column's name.
        where: The row's place, for errors.
        folder: The folder against which relative paths of images are read.

    Raises:
        DatasetError: A message is malformed, or the last one is the assistant's.
    """
    messages = [
        _message(item, f"{name}[{number}]", where, folder) for number, item in enumerate(value)
    ]
    if messages[-1]["role"] == "assistant":
        raise DatasetError(
            f"the conversation in {name!r} ends with an assistant's message: nothing to answer",
            where=where,
            fix="leave that message out, and give its text as the target",
        )
    return messages


def _message(item: Mapping[str, Any], name: str, where: str, folder: Path | None) -> Message:
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
        content = _parts(content, name, where, folder)
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


def _parts(content: Any, name: str, where: str, folder: Path | None) -> Any:
    if not isinstance(content, (list, tuple)):
        raise DatasetError(f"the content of message {name} is no text", where=where)
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in ("image", "image_url"):
            parts.append(_image_part(part, name, where, folder))
            continue
        key = _PARTS.get(str(kind))
        if key is None or not isinstance(part.get(key), str):
            raise DatasetError(
                f"message {name} has a part of the type {kind!r}",
                where=where,
                fix="parts are {type: text, text: ...}, likewise thinking and image",
            )
        parts.append({"type": kind, key: part[key]})
    return parts


def _image_part(
    part: Mapping[str, Any], name: str, where: str, folder: Path | None
) -> dict[str, Any]:
    """An image: given here, in OpenAI's form, or as the place of one in another column."""
    given = part.get("image")
    if given is None and isinstance(part.get("image_url"), Mapping):
        given = part["image_url"].get("url")
    if given is None and part["type"] == "image_url":
        raise DatasetError(f"message {name} has an 'image_url' without a url", where=where)
    if given is None:
        return dict(OPEN)
    return {"type": "image", "image": given_image(given, name, folder, where)}
