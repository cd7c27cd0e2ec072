"""``role_colon``: a transcript in plain text, for base models."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.markup import Block, Control, Piece, spell
from proctor.renderers.messages import content_of, refuse_tools, text_of
from proctor.renderers.tagged import read_plain_text
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, Termination

_BEFORE_CONTENT = " "
_AFTER_CONTENT = "\n\n"
_STOP = "\n\nUser:"


class RoleColonRenderer(Renderer):
    """A transcript: ``User: question``, a blank line, ``Assistant:``.

    The end of text is a clean end. The format can't tell its own ``User:`` from one in a message.
    """

    name = "role_colon"
    version = 2
    is_plain_text = True
    accepts_eos = True

    def __init__(self, tokenizer: Tokenizer) -> None:
        start = getattr(tokenizer, "bos_token", None)
        self.controls = (Control(start),) if start else ()
        super().__init__(tokenizer)

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """The transcript, up to the colon after ``role``."""
        blocks: list[Block] = [self.controls]
        for message in messages:
            refuse_tools(message, self.name)
            blocks.append([_heading(message["role"])])
            blocks.append([_BEFORE_CONTENT, *content_of(message, self.name), _AFTER_CONTENT])
        blocks.append([_heading(role)])
        return blocks

    def prefill_tokens(self, prefill: str) -> list[int]:
        """Token ids of the start of an answer, after the space that every answer begins with."""
        spaced = prefill if prefill[:1].isspace() else _BEFORE_CONTENT + prefill
        return super().prefill_tokens(spaced)

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The content, and the heading of the next user turn."""
        refuse_tools(message, self.name)
        text = text_of(message, self.name)
        if _STOP in text or text.endswith(_AFTER_CONTENT):
            raise RendererError(
                "an answer with a user's turn in it, or a blank line at its end, has no form",
                where=f"renderer {self.name}",
            )
        return [_BEFORE_CONTENT, text, _STOP]

    def get_stop_sequences(self) -> list[str] | list[int]:
        """The heading of the next user turn."""
        return [_STOP]

    def _split_end(self, pieces: list[Piece]) -> tuple[list[Piece], Termination]:
        eos = self.codec.eos
        ends = [index for index, piece in enumerate(pieces) if piece == eos]
        body = pieces[: ends[0]] if ends else pieces
        text, *turns = spell(body).split(_STOP)
        if turns:
            is_clean = len(turns) == 1 and not ends
            return [text], Termination.STOP_SEQUENCE if is_clean else Termination.MALFORMED
        is_clean = ends == [len(pieces) - 1]
        return [text], Termination.EOS if is_clean else Termination.MALFORMED

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The text, without the white space that frames it, and thinking that it begins with."""
        text = spell(pieces).removeprefix(_BEFORE_CONTENT).removesuffix(_AFTER_CONTENT)
        return read_plain_text(text)


def _heading(role: str) -> str:
    return role.capitalize() + ":"
