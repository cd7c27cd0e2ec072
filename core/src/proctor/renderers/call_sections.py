"""Reading answers whose tool calls stand in a section of control tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from proctor.renderers.markup import Control, Piece, spell
from proctor.renderers.tagged import END_THINK, THINK, UNFINISHED_CALL, CallError, Tags
from proctor.types import Message, ToolCall, UnparsedToolCall

_THINKING = Tags()


@dataclass(frozen=True, slots=True)
class CallSections:
    """How a family writes tool calls: a section, and in it a head and arguments for each.

    Attributes:
        starts: What begins the section.
        ends: What ends it.
        call: What begins a call.
        arguments: What stands between a call's head and its arguments.
        end_call: What ends a call.
        make: Makes a call of its head and its arguments, or raises CallError.
    """

    starts: tuple[Control, ...]
    ends: tuple[Control, ...]
    call: Control
    arguments: Control
    end_call: Control
    make: Callable[[str, str], ToolCall]

    @property
    def controls(self) -> tuple[Control, ...]:
        """All of them."""
        return (*self.starts, *self.ends, self.call, self.arguments, self.end_call)

    def read(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """Reads an answer: thinking, text and tool calls; see ``Renderer.read_answer``."""
        rest: list[Piece] = []
        calls: list[ToolCall] = []
        unparsed: list[UnparsedToolCall] = []
        after = 0
        for start, end in self._sections(pieces, in_thinking):
            rest += pieces[after:start]
            read, failed = self._read_calls(pieces[start:end])
            calls, unparsed, after = calls + read, unparsed + failed, end
        message, may_end = _THINKING.read([*rest, *pieces[after:]], in_thinking)
        if calls:
            message["tool_calls"] = calls
        if unparsed:
            message["unparsed_tool_calls"] = unparsed
        return message, may_end

    def _sections(self, pieces: Sequence[Piece], in_thinking: bool) -> Iterator[tuple[int, int]]:
        """Where tool calls begin and end; those inside thinking are none."""
        start: int | None = None
        for index, piece in enumerate(pieces):
            if start is not None:
                if piece in self.ends:
                    yield start, index + 1
                    start = None
            elif piece in (THINK, END_THINK):
                in_thinking = piece == THINK
            elif not in_thinking and (piece in self.starts or piece == self.call):
                start = index
        if start is not None:
            yield start, len(pieces)

    def _read_calls(self, pieces: Sequence[Piece]) -> tuple[list[ToolCall], list[UnparsedToolCall]]:
        """The calls of a section; what isn't a whole call is kept as it is, with the reason."""
        calls: list[ToolCall] = []
        unparsed: list[UnparsedToolCall] = []
        held: list[Piece] = []
        for piece in pieces:
            if piece in self.starts or (piece in self.ends and not spell(held).strip()):
                continue
            held.append(piece)
            if piece == self.end_call:
                try:
                    calls.append(self._read_call(held))
                except CallError as error:
                    unparsed.append(UnparsedToolCall(raw_text=spell(held), error=str(error)))
                held = []
        is_empty = bool(pieces) and not calls and not unparsed
        if is_empty or spell(held).strip():
            raw = spell(pieces if is_empty else held)
            unparsed.append(UnparsedToolCall(raw_text=raw, error=UNFINISHED_CALL))
        return calls, unparsed

    def _read_call(self, pieces: Sequence[Piece]) -> ToolCall:
        """Reads the pieces up to the end of one call; white space may stand before it."""
        whole = pieces[1:] if isinstance(pieces[0], str) and not pieces[0].strip() else pieces
        marks = [piece for piece in whole if isinstance(piece, Control)]
        if marks != [self.call, self.arguments, self.end_call] or whole[0] != self.call:
            raise CallError("its parts are not a head and arguments")
        split = whole.index(self.arguments)
        arguments = spell(whole[split + 1 : -1]).strip()
        try:
            json.loads(arguments)
        except (ValueError, RecursionError) as error:
            raise CallError(f"no JSON: {error}") from error
        return self.make(spell(whole[1:split]).strip(), arguments)
