"""Images in messages: what somebody gives as one, as the bytes of an image file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

from proctor.errors import DatasetError

ImageSource: TypeAlias = Any  # a path, a data URI, bytes, an Image, PIL's, Hugging Face's mapping

_MAGIC = re.compile(
    rb"(?P<png>\x89PNG\r\n\x1a\n)|(?P<jpeg>\xff\xd8\xff)|(?P<gif>GIF8[79]a)|(?P<bmp>BM)"
    rb"|(?P<webp>RIFF....WEBP)",
    re.DOTALL,
)
"""How the files of each format begin."""

_HEAD = 16
"""Bytes at a file's start that tell its format."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?=:)")
"""A URL's scheme; one letter is a drive of Windows."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image file, in memory or on disk.

    Attributes:
        content: Its bytes, or the path to them.
        format: ``png``, ``jpeg``, ``gif``, ``bmp`` or ``webp``.
        name: The file's name as the dataset has it, if it has one.
    """

    content: bytes | Path
    format: str
    name: str | None = None

    @property
    def data(self) -> bytes:
        """Its bytes.

        Raises:
            DatasetError: The file can't be read any more.
        """
        if isinstance(self.content, bytes):
            return self.content
        return _read(self.content, None)

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes, with the algorithm's name."""
        return "sha256:" + hashlib.sha256(self.data).hexdigest()

    @property
    def data_uri(self) -> str:
        """Its bytes as a URI that needs no file and no network."""
        return f"data:image/{self.format};base64,{base64.b64encode(self.data).decode('ascii')}"

    @property
    def label(self) -> str:
        """What stands in its place where only text can stand."""
        return image_label(self.format, self.digest)

    def in_memory(self) -> Image:
        """The same image, which no longer changes with its file."""
        return replace(self, content=self.data)


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """An image in a prompt, as it is sent.

    Attributes:
        at: How many of the prompt's tokens stand before it.
        image: The image.
        tokens: How many tokens it stands for in the model.
    """

    at: int
    image: Image
    tokens: int

    @property
    def key(self) -> list[object]:
        """What tells it from others."""
        return [self.at, self.image.digest, self.tokens]


def image_label(image_format: str, digest: str) -> str:
    """What stands in an image's place where only text can stand."""
    return f"[image: {image_format}, {digest[:19] or 'not read'}]"


def read_image(
    given: ImageSource, *, folder: Path | None = None, where: str | None = None
) -> Image:
    """Reads what somebody gives as an image. Of a file, only the start is read yet.

    Args:
        given: A path, a ``data:`` URI, the bytes of a file, an image of PIL's, a mapping with
            ``bytes`` or ``path`` as Hugging Face's datasets have it, or an ``Image``.
        folder: The folder against which relative paths are read.
        where: The place, for errors.

    Raises:
        DatasetError: It is none of these, is no image in a format known here, or its file is not
            there. Nothing is downloaded: another URL is refused.
    """
    if isinstance(given, Image):
        return given
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _of_bytes(bytes(given), None, where)
    if isinstance(given, Mapping):
        name = given.get("path")
        if given.get("bytes") is not None:
            return _of_bytes(bytes(given["bytes"]), None if name is None else str(name), where)
        if name:
            return read_image(str(name), folder=folder, where=where)
    if isinstance(given, str):
        scheme = _SCHEME.match(given)
        if scheme is None:
            return _of_file(given, folder, where)
        return _of_url(given, scheme[0].lower(), where)
    if isinstance(given, os.PathLike):
        return _of_file(os.fspath(given), folder, where)
    if callable(getattr(given, "save", None)) and hasattr(given, "mode"):
        return _of_pil(given, where)
    raise DatasetError(
        f"a {type(given).__name__} is no image",
        where=where,
        fix="give a path, a data: URI, the bytes of a file, or an image of PIL's",
    )


def _of_url(url: str, scheme: str, where: str | None) -> Image:
    if scheme == "file":
        return _of_file(unquote(url[len("file:") :].removeprefix("//localhost")), None, where)
    if scheme != "data":
        raise DatasetError(
            f"the image {url:.80} is on the network",
            where=where,
            fix="download it first, and give its path",
        )
    head, comma, body = url.partition(",")
    try:
        if not comma:
            raise ValueError("it has no comma")
        is_base64 = head.endswith(";base64")
        data = base64.b64decode(body, validate=True) if is_base64 else unquote_to_bytes(body)
    except (ValueError, binascii.Error) as error:
        raise DatasetError(f"the image {url:.40} is no data: URI: {error}", where=where) from None
    return _of_bytes(data, None, where)


def _of_file(name: str, folder: Path | None, where: str | None) -> Image:
    path = Path(name).expanduser()
    if folder is not None:
        path = folder / path
    head = _read(path, where, _HEAD)
    return Image(path, _format_of(head, str(path), where), name)


def _read(path: Path, where: str | None, size: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DatasetError(
            f"can't read the image {path}: {reason}", where=where, fix="check the path"
        ) from error


def _of_bytes(data: bytes, name: str | None, where: str | None) -> Image:
    what = name or f"of {len(data)} bytes"
    return Image(data, _format_of(data[:_HEAD], what, where), name)


def _of_pil(given: ImageSource, where: str | None) -> Image:
    written = io.BytesIO()
    try:
        try:
            given.save(written, format="PNG")
        except OSError:  # PNG has no form for some of PIL's modes, such as CMYK
            written = io.BytesIO()
            given.convert("RGB").save(written, format="PNG")
    except Exception as error:
        raise DatasetError(f"the image can't be read: {error}", where=where) from error
    name = getattr(given, "filename", None)
    return Image(written.getvalue(), "png", str(name) if name else None)


def _format_of(head: bytes, what: str, where: str | None) -> str:
    found = _MAGIC.match(head)
    if found is None or found.lastgroup is None:
        raise DatasetError(
            f"{what} is no image that begins as PNG, JPEG, GIF, BMP or WebP files do",
            where=where,
            fix="convert it to one of these",
        )
    return found.lastgroup
