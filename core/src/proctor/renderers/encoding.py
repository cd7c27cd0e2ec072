"""Text to tokens, where text stays text."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any


class TextEncoder:
    """Encodes content so that no control token comes of it, and finds control tokens by name.

    A tokenizer turns ``<|im_end|>`` in a text into the control token, so that a question could end
    its own turn. Here such a text is encoded in two pieces, which decode to the same text.

    Args:
        tokenizer: A tokenizer with transformers' interface.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @cached_property
    def control_tokens(self) -> dict[str, int]:
        """The ids of the tokens that are not made of text, by what they look like."""
        added = getattr(self.tokenizer, "get_added_vocab", None)
        tokens = dict(added()) if added else {}
        special = zip(
            getattr(self.tokenizer, "all_special_tokens", []),
            getattr(self.tokenizer, "all_special_ids", []),
            strict=False,
        )
        tokens.update({str(text): int(token) for text, token in special})
        return {text: token for text, token in tokens.items() if len(text) > 1}

    @cached_property
    def _control_pattern(self) -> re.Pattern[str] | None:
        texts = sorted(self.control_tokens, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, texts))) if texts else None

    def is_hostile(self, text: str) -> bool:
        """Whether a text holds what a control token looks like."""
        return self._control_pattern is not None and bool(self._control_pattern.search(text))

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, none of them a control token."""
        if not text:
            return []
        match = self._control_pattern.search(text) if self._control_pattern else None
        if match is None:
            return list(self.tokenizer.encode(text, add_special_tokens=False))
        cut = match.start() + 1
        head = list(self.tokenizer.encode(text[:cut], add_special_tokens=False))
        return head + self.encode(text[cut:])

    def control(self, text: str) -> int | None:
        """The id of a control token; None where the tokenizer has none of that name."""
        return self.control_tokens.get(text)

    def split(self, text: str) -> list[tuple[str, bool]]:
        """A text in pieces, with whether each is a control token."""
        if self._control_pattern is None:
            return [(text, False)] if text else []
        pieces = []
        end = 0
        for match in self._control_pattern.finditer(text):
            if match.start() > end:
                pieces.append((text[end : match.start()], False))
            pieces.append((match[0], True))
            end = match.end()
        if end < len(text):
            pieces.append((text[end:], False))
        return pieces
