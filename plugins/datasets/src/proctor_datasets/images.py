"""Images of a row: its columns that hold them, and where they stand in the question."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from proctor import DatasetError, Image, Message, read_image
from proctor_datasets.columns import Row, as_json, column

OPEN = {"type": "image", "image": None}
"""A part of a message in whose place an image of a column will stand."""


_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]+:")
"""How a URL begins."""

_COLUMNS = ("image", "images")
"""Columns that hold images where nothing else is said."""


def image_columns(row: Row, given: str | list[str] | None, where: str) -> list[str]:
    """The columns whose images a question shows.

    Args:
        row: The row.
        given: The columns that the dataset's options name; None where they name none.
        where: The row's place, for errors.

    Raises:
        DatasetError: A column holds an image, and nothing says whether the question shows it.
    """
    if given is not None:
        return [given] if isinstance(given, str) else given
    named = [name for name in _COLUMNS if row.get(name) is not None]
    unnamed = [name for name, value in row.items() if name not in named and _holds_image(value)]
    if unnamed:
        raise DatasetError(
            f"column {unnamed[0]!r} holds an image, which the question would not show",
            where=where,
            fix="name it with 'images', or say images: [] where the question stands without it",
        )
    return named


def _holds_image(value: Any) -> bool:
    """Whether a value is an image as Hugging Face's datasets and PIL have it."""
    if isinstance(value, (list, tuple)):
        return any(map(_holds_image, value))
    if isinstance(value, Mapping):
        return set(value) == {"bytes", "path"} and any(value.values())
    return isinstance(value, Image) or (hasattr(value, "mode") and hasattr(value, "getpixel"))


def read_images(row: Row, columns: Iterable[str], folder: Path | None, where: str) -> list[Image]:
    """The images of some columns, in order; each holds one, or a list, or none.

    Raises:
        DatasetError: One can't be read.
    """
    return [
        given_image(item, name, folder, where)
        for name in columns
        for item in _items(column(row, name, where))
    ]


def given_image(value: Any, name: str, folder: Path | None, where: str) -> Image:
    """The image that a value is.

    Raises:
        DatasetError: It is none, or its path is relative and nothing says to what.
    """
    where = f"{where}: {name}"
    inner = value.get("path") if isinstance(value, Mapping) and not value.get("bytes") else value
    is_path = isinstance(inner, (str, os.PathLike)) and not _SCHEME.match(str(inner))
    if is_path and folder is None and not Path(str(inner)).expanduser().is_absolute():
        raise DatasetError(
            f"the path {str(inner)!r} is relative, and these rows have no folder",
            where=where,
            fix="say with 'image_folder' where it begins; '.' is the config's folder",
        )
    return read_image(value, folder=folder, where=where)


def _items(value: Any) -> Sequence[Any]:
    if value is None:
        return []
    return value if isinstance(value, (list, tuple)) else [value]


def images_as_json(value: Any, name: str, where: str) -> Any:
    """What tells the images of a column from others: a path as it is written, else its content.

    Raises:
        DatasetError: One can't be read.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return [images_as_json(item, name, where) for item in value]
    if isinstance(value, Mapping) and value.get("bytes") is None:
        return as_json(value, name, where)
    return read_image(value, where=f"{where}: {name}").digest


def with_images(
    question: str | list[Message], images: list[Image], where: str
) -> str | list[Message]:
    """A question with a row's images.

    They stand where the conversation has open places for them; where it has none, and in front of
    a text, they come first in the user's first message.

    Raises:
        DatasetError: There are more or fewer images than places, or no message of a user's.
    """
    messages = [Message(role="user", content=question)] if isinstance(question, str) else question
    places = sum(_is_open(part) for message in messages for part in _parts(message))
    if places:
        if places != len(images):
            raise DatasetError(
                f"the conversation has {places} places for images, and the row {len(images)} "
                "images",
                where=where,
                fix="name their columns with 'images'",
            )
        rest = iter(images)
        return [_filled(message, rest) for message in messages]
    if not images:
        return question
    first = next((i for i, message in enumerate(messages) if message["role"] == "user"), None)
    if first is None:
        raise DatasetError("no message of a user's could hold the row's images", where=where)
    shown: list[Any] = [{"type": "image", "image": image} for image in images]
    asked = messages[first].copy()
    asked["content"] = [*shown, *_parts(asked)]
    return [*messages[:first], asked, *messages[first + 1 :]]


def _parts(message: Message) -> list[Any]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _is_open(part: Any) -> bool:
    return part["type"] == "image" and part["image"] is None


def _filled(message: Message, images: Iterable[Image]) -> Message:
    if isinstance(message["content"], str):
        return message
    rest = iter(images)
    filled = message.copy()
    filled["content"] = [
        {"type": "image", "image": next(rest)} if _is_open(part) else part
        for part in message["content"]
    ]
    return filled
