"""Thinking between ``<think>`` and ``</think>``, apart from the answer."""

from __future__ import annotations

from proctor.types import Content, TextPart, ThinkingPart

OPEN, CLOSE = "<think>", "</think>"


def split_thinking(text: str, *, is_open: bool = False) -> tuple[Content, bool]:
    """Splits an answer into its thinking and its text.

    Args:
        text: The answer as it was decoded.
        is_open: Whether the prompt had opened a thought already.

    Returns:
        The content, a plain string where there is no thinking; and whether every thought was
        closed. What an unclosed thought holds is thinking, never text.
    """
    parts: list[TextPart | ThinkingPart] = []
    rest = text
    inside = is_open
    if is_open and rest.lstrip().startswith(OPEN):
        rest = rest.lstrip().removeprefix(OPEN)
    while rest or inside:
        mark = CLOSE if inside else OPEN
        piece, found, rest = rest.partition(mark)
        if inside:
            if piece.strip():
                parts.append(ThinkingPart(type="thinking", thinking=piece))
        elif piece:
            parts.append(TextPart(type="text", text=piece))
        if not found:
            break
        inside = not inside
    if not any(part["type"] == "thinking" for part in parts):
        return "".join(part["text"] for part in parts if part["type"] == "text"), not inside
    return list(parts), not inside
