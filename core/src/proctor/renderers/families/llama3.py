"""``llama3``: Llama 3, 3.1, 3.2 and 3.3 Instruct."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.renderers.base import Renderer
from proctor.renderers.markup import Block, Control, Piece, spell
from proctor.renderers.messages import content_of, refuse_tools, text_of
from proctor.renderers.tagged import read_plain_text
from proctor.types import Message

_BEGIN = Control("<|begin_of_text|>")
_START_HEADER = Control("<|start_header_id|>")
_END_HEADER = Control("<|end_header_id|>")
_END_OF_TURN = Control("<|eot_id|>")


class Llama3Renderer(Renderer):
    """Llama 3's chat format, without the preamble of dates that 3.1 and later put first.

    It has no tools: Llama's calls are bare JSON, which can't be told from an answer in JSON.
    """

    name = "llama3"
    version = 2
    controls = (_BEGIN, _START_HEADER, _END_HEADER)
    stops = (_END_OF_TURN,)
    other_ends = (Control("<|end_of_text|>"), Control("<|eom_id|>"))
    template_differences = (
        (r"Cutting Knowledge Date: .*\nToday Date: .*\n\n", ""),
        (r"<\|start_header_id\|>system<\|end_header_id\|>\n\n<\|eot_id\|>", ""),
    )

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """A header and a content for each message, and the header of the next."""
        blocks: list[Block] = [[_BEGIN]]
        for message in messages:
            refuse_tools(message, self.name)
            blocks.append(_header(message["role"]))
            blocks.append([*content_of(message, self.name), _END_OF_TURN])
        return [*blocks, _header(role)]

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The text and the end of the turn."""
        refuse_tools(message, self.name)
        return [text_of(message, self.name), _END_OF_TURN]

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The text, and thinking that it begins with."""
        return read_plain_text(spell(pieces))


def _header(role: str) -> Block:
    return [_START_HEADER, role, _END_HEADER, "\n\n"]
