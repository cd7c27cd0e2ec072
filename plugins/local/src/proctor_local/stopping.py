"""Finds stop strings in text that arrives a token at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_UNFINISHED = "\ufffd"
"""What a tokenizer decodes the first bytes of a character to."""

_MOST_PENDING = 8
"""Tokens after which a character that is still unfinished will never be whole."""


class StopStrings:
    """Tells at which token a text first holds one of some strings.

    Only the latest tokens are decoded at each step, with a few before them: a token's text depends
    on its neighbours where it holds a part of a character, or a space at the start of a word.
    """

    def __init__(self, tokenizer: Any, strings: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._strings = strings
        self._reach = max(len(string) for string in strings) - 1
        self._context: list[int] = []
        self._pending: list[int] = []
        self._before = ""

    def push(self, token: int) -> bool:
        """Adds a token; true if its text completes one of the strings."""
        self._pending.append(token)
        known = len(self._decode(self._context))
        text = self._decode(self._context + self._pending)[known:]
        seen = self._before + text
        if any(string in seen for string in self._strings):
            return True
        if not text.endswith(_UNFINISHED) or len(self._pending) >= _MOST_PENDING:
            self._before = seen[-self._reach :] if self._reach else ""
            self._context, self._pending = self._pending, []
        return False

    def _decode(self, tokens: list[int]) -> str:
        if not tokens:
            return ""
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text
