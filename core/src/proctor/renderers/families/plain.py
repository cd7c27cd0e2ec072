"""``plain``: the messages' texts one after the other, for base models and continuations."""

from __future__ import annotations

from collections.abc import Sequence

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.markup import Block, Control, Piece, spell
from proctor.renderers.messages import refuse_tools, text_of
from proctor.renderers.tagged import read_plain_text
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, ToolSpec


class PlainRenderer(Renderer):
    """No roles: the texts alone, after the start token where the tokenizer itself puts one.

    The end of text ends an answer. Spaces at the end of ``answer_separator`` belong to the answer:
    vocabularies have them at the start of its first word.

    Args:
        tokenizer: The model's tokenizer, with transformers' interface.
        separator: What stands before every message but the first, answers apart.
        answer_separator: What stands before an answer.
    """

    name = "plain"
    version = 2
    is_plain_text = True

    def __init__(
        self, tokenizer: Tokenizer, *, separator: str = "\n\n", answer_separator: str = " "
    ) -> None:
        end = getattr(tokenizer, "eos_token", None)
        self.stops = (Control(end),) if end else ()
        super().__init__(tokenizer)
        self.separator = separator
        self.answer_separator = answer_separator
        shown = answer_separator.rstrip(" ")
        self._shown, self._lead = shown, answer_separator[len(shown) :]
        self._start = self._start_tokens()

    def _start_tokens(self) -> list[int]:
        """What the tokenizer puts before every text by itself."""
        (bare,) = self.codec.encode_texts(["a"])
        whole = list(self.tokenizer.encode("a"))
        places = range(len(whole) - len(bare) + 1)
        return next((whole[:at] for at in places if whole[at : at + len(bare)] == bare), [])

    def joined(self, messages: Sequence[Message]) -> str:
        """The text of a conversation.

        Raises:
            RendererError: A message has something that is no text.
        """
        text = ""
        for index, message in enumerate(messages):
            refuse_tools(message, self.name)
            if index:
                is_answer = message["role"] == "assistant"
                text += self.answer_separator if is_answer else self.separator
            text += text_of(message, self.name)
        return text

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """The text, and what stands before the next message, but for spaces before an answer."""
        text = self.joined(messages)
        if not messages:
            return [[text]]
        return [[text + (self._shown if role == "assistant" else self.separator)]]

    def layout_tokens(
        self,
        conversations: Sequence[Sequence[Message]],
        role: str,
        tools: list[ToolSpec] | None,
    ) -> list[list[int]]:
        """The tokens of the texts, after the start token where the tokenizer puts one."""
        return [self._started(t) for t in super().layout_tokens(conversations, role, tools)]

    def _started(self, tokens: list[int]) -> list[int]:
        """Tokens after the start; a model continues nothing, so no tokens get one in any case."""
        if tokens or self._start:
            return [*self._start, *tokens]
        for name in ("bos_token_id", "eos_token_id"):
            number = getattr(self.tokenizer, name, None)
            if number is not None:
                return [int(number)]
        raise RendererError(
            "the prompt is empty, and the tokenizer has no token to start with",
            where=f"renderer {self.name}",
            fix="give every row an input",
        )

    def scored_tokens(
        self, messages: Sequence[Message], answers: Sequence[str]
    ) -> tuple[list[int], list[list[int]]]:
        """The tokens of a prompt, and those of each text that continues it, without an end.

        A text is tokenized together with what it continues, and counts from where the prompt's
        tokens end. White space at the prompt's end, and what joins the two, are part of it. That
        is how lm-evaluation-harness has it.
        """
        text = self.joined(messages)
        context = text.rstrip()
        joint = text[len(context) :] + (self.answer_separator if messages else "")
        wholes = [context + joint + answer for answer in answers]
        prompt, *encoded = self.codec.encode_texts([context, *wholes])
        return self._started(prompt), [tokens[len(prompt) :] for tokens in encoded]

    def prefill_tokens(self, prefill: str) -> list[int]:
        """Token ids of the start of an answer, after the spaces that every answer begins with."""
        return super().prefill_tokens(prefill if prefill[:1].isspace() else self._lead + prefill)

    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """The text, and the end of text."""
        refuse_tools(message, self.name)
        return [self._lead + text_of(message, self.name), *self.stops]

    def get_stop_sequences(self) -> list[str] | list[int]:
        """The end of text.

        Raises:
            RendererError: The tokenizer names none.
        """
        if not self.stops:
            raise RendererError(
                "the tokenizer names no end of text, so nothing would end an answer",
                where=f"renderer {self.name}",
                fix="set the tokenizer's eos_token",
            )
        return super().get_stop_sequences()

    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """The text, without the spaces it always begins with, and thinking that it begins with."""
        text = spell(pieces).removeprefix(self._lead)
        return read_plain_text(text)
