"""What a prompt is made of before it is tokens: text, and the control tokens between it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """A token that structures a conversation, by its spelling in the tokenizer's vocabulary."""

    spelling: str


Piece = str | Control
Block = Sequence[Piece]
"""Pieces that are encoded together: neighbouring strings are one text.

Where one block ends and the next begins, the tokenizer merges nothing.
"""


class Markup(str):
    """A message's content that may hold control tokens: what a renderer declares tools with.

    In any other string, a control token's spelling is plain text.
    """

    block: tuple[Piece, ...]

    def __new__(cls, block: Iterable[Piece]) -> Markup:
        """Makes the string that shows the pieces."""
        pieces = tuple(block)
        made = super().__new__(cls, spell(pieces))
        made.block = pieces
        return made


def spell(block: Iterable[Piece]) -> str:
    """A block as text, with its control tokens spelled out."""
    return "".join(p.spelling if isinstance(p, Control) else p for p in block)


def marked_up(text: str, controls: Iterable[Control]) -> list[Piece]:
    """A renderer's own text as pieces, with the spellings of control tokens made into tokens."""
    pieces: list[Piece] = [text]
    for control in controls:
        split: list[Piece] = []
        for piece in pieces:
            if isinstance(piece, Control):
                split.append(piece)
                continue
            head, *rest = piece.split(control.spelling)
            split.append(head)
            for part in rest:
                split.extend((control, part))
        pieces = split
    return [piece for piece in pieces if piece != ""]


def trimmed(block: Block) -> list[Piece]:
    """A block without white space at its two ends."""
    pieces = list(block)
    for end, strip in ((0, str.lstrip), (-1, str.rstrip)):
        while pieces and isinstance(last := pieces[end], str):
            pieces[end] = strip(last)
            if pieces[end]:
                break
            pieces.pop(end)
    return pieces
