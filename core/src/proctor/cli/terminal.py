"""Text on a terminal: a model's output is not to be trusted there."""

from __future__ import annotations

import contextlib
import json
import logging
import unicodedata
from typing import TextIO

import click

from proctor.redaction import redacted

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories of characters that are obeyed, or not seen: controls, C1, marks of direction, those
without width, tags, halves, private ones, those that nobody has defined, and ends of lines."""

_SELECTORS = range(0xE0100, 0xE01F0)
"""Selectors that no font has, and that can carry a hidden text."""


def printable(text: str) -> str:
    """Text whose hidden characters are shown instead of obeyed; newlines and tabs stay.

    Escape sequences could repaint the screen or fake another line of output, marks of direction
    could reorder what is read, and characters without width could make two texts look alike.
    Secrets are left out.
    """
    text = redacted(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def printable_line(text: str) -> str:
    """Text that stays one line, where a newline of its own could forge the next."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _shown(character: str) -> str:
    return character if character in "\n\t" or not _is_hidden(character) else _escape(character)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or ord(character) in _SELECTORS


def _escape(character: str) -> str:
    code = ord(character)
    if code < 256:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def echo_json(value: object, *, indent: int | None = None) -> None:
    """Prints JSON: hidden characters are JSON's own escapes, and secrets are left out."""
    text = redacted(json.dumps(value, indent=indent, ensure_ascii=False))
    click.echo(safe_json(text))


def safe_json(text: str) -> str:
    """JSON whose hidden characters are JSON's own escapes, so that it means the same."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        _json_escape(character) if _must_escape(character) else character for character in text
    )


def _must_escape(character: str) -> bool:
    # what is below a space is escaped or white space already
    return character >= "\x7f" and _is_hidden(character)


def _json_escape(character: str) -> str:
    halves = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{halves[i : i + 2].hex()}" for i in range(0, len(halves), 2))


class Lenient:
    """A stream of messages; those that can't be written any more are dropped, and end nothing.

    Args:
        stream: Where they go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes, if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes, if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class LineFormatter(logging.Formatter):
    """Formats what is logged as one line of text that can be printed."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback keeps its lines."""
        return printable(super().format(record))
