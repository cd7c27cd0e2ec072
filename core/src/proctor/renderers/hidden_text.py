"""Text that a chat template must not see, since it spells control tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from proctor.renderers.codec import Rendered

TemplateMessage: TypeAlias = dict[str, Any]  # a message as somebody's chat template reads it

_DIGITS = "".join(chr(0xE000 + digit) for digit in range(10))
STAND_IN_START, _CLOSE = chr(0xE00A), chr(0xE00B)
_STAND_IN = re.compile(f"{STAND_IN_START}([{_DIGITS}]+){_CLOSE}")
"""Characters for private use: a number between two of them stands for a hidden text."""


class HiddenText:
    """Text that spells a control token, hidden from a template while it renders.

    Args:
        pattern: What to hide.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._texts: list[str] = []

    def hide(self, message: TemplateMessage) -> TemplateMessage:
        """A message with stand-ins for what must not be seen."""
        return {key: self._hidden(value) for key, value in message.items()}

    def _hidden(self, value: object) -> object:
        if isinstance(value, str):
            return self._pattern.sub(self._stand_in, value)
        if isinstance(value, Mapping):
            return {self._hidden(key): self._hidden(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        return value

    def _stand_in(self, match: re.Match[str]) -> str:
        self._texts.append(match.group())
        digits = "".join(_DIGITS[int(digit)] for digit in str(len(self._texts) - 1))
        return f"{STAND_IN_START}{digits}{_CLOSE}"

    def reveal(self, rendered: str) -> list[Rendered]:
        """What was rendered, in parts: the template's own, and the hidden texts in between."""
        parts: list[Rendered] = []
        start = 0
        for match in _STAND_IN.finditer(rendered) if self._texts else ():
            index = int("".join(str(_DIGITS.index(digit)) for digit in match.group(1)))
            parts.append(Rendered(rendered[start : match.start()], may_hold_controls=True))
            parts.append(Rendered(self._texts[index], may_hold_controls=False))
            start = match.end()
        parts.append(Rendered(rendered[start:], may_hold_controls=True))
        return parts
