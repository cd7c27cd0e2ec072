"""The base class of renderers: messages to prompt tokens, and sampled tokens to a message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from proctor.errors import RendererError
from proctor.renderers.codec import TokenCodec
from proctor.renderers.markup import Block, Control, Piece
from proctor.renderers.messages import checked_tools, text_of
from proctor.renderers.prompt import Prompt
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, Termination, ToolSpec

if TYPE_CHECKING:
    import tinker


class Renderer(ABC):
    """Base of renderers.

    A subclass says which control tokens its format has and how a conversation is laid out in
    blocks of text and control tokens (``blocks``), how an answer is (``answer_block``), and how an
    answer's pieces are read back (``read_answer``). Text in messages never becomes a control
    token, whatever it spells.

    Args:
        tokenizer: The model's tokenizer, with transformers' interface.
    """

    name: ClassVar[str] = ""
    """The name under which it is registered."""

    version: ClassVar[int] = 1
    """Raised when the same messages give other tokens, or the same tokens another message."""

    controls: tuple[Control, ...] = ()
    """The control tokens of the format, beside the stop signals."""

    stops: tuple[Control, ...] = ()
    """The control tokens that end an answer."""

    other_ends: tuple[Control, ...] = ()
    """Further tokens after which a model says nothing more; an answer that one of them ends is
    malformed."""

    accepts_eos: ClassVar[bool] = False
    """Whether the tokenizer's end of text is a clean end of an answer too."""

    thinking_start: ClassVar[Control | None] = None
    """The control token that opens thinking, where the format has one."""

    opens_thinking: bool = False
    """Whether the prompt ends inside thinking, so that an answer begins there."""

    template_arguments: ClassVar[Mapping[str, object]] = {}
    """What makes the tokenizer's own chat template render the way that this renderer does."""

    may_spell_controls: ClassVar[bool] = False
    """Whether control tokens that the vocabulary lacks are meant to be text."""

    is_plain_text: ClassVar[bool] = False
    """Whether the format is no chat format, so that a template has nothing to say about it."""

    template_differences: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Where it means to differ from the tokenizer's own chat template: patterns, and what stands
    in their place here."""

    differs_on: ClassVar[frozenset[str]] = frozenset()
    """Conversations of ``CANONICAL`` that it means to render otherwise than the template."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.codec = TokenCodec(tokenizer, (*self.controls, *self.stops), self.other_ends)

    def blocks(self, messages: Sequence[Message], role: str) -> list[Block]:
        """Lays a conversation out, up to where the message of ``role`` begins.

        Raises:
            RendererError: The format has no place for something in it.
            NotImplementedError: The class overrides neither this nor ``layout_tokens``.
        """
        raise NotImplementedError

    @abstractmethod
    def answer_block(self, message: Message, in_thinking: bool) -> Block:
        """Lays out an assistant's message as the model would have sampled it, its end included.

        Args:
            message: The message.
            in_thinking: Whether the prompt ended inside thinking.

        Raises:
            RendererError: The format has no place for something in it.
        """

    @abstractmethod
    def read_answer(self, pieces: Sequence[Piece], in_thinking: bool) -> tuple[Message, bool]:
        """Reads an answer's pieces, without its end.

        Args:
            pieces: Text and control tokens.
            in_thinking: Whether the prompt ended inside thinking.

        Returns:
            The message, and whether an end is clean here: not inside open thinking.
        """

    def create_conversation_prefix_with_tools(
        self, tools: list[ToolSpec], system_prompt: str = ""
    ) -> list[Message]:
        """The messages that declare tools; they go before the conversation.

        Args:
            tools: The declarations, with or without OpenAI's ``{"type": "function"}`` around each.
            system_prompt: The text of the conversation's own system message.

        Raises:
            RendererError: The format has no tools, or a declaration is none.
        """
        return self.declare_tools(checked_tools(tools, self.name), system_prompt)

    def declare_tools(self, tools: list[ToolSpec], system_prompt: str) -> list[Message]:
        """Lays out declarations that were checked, for ``create_conversation_prefix_with_tools``.

        Args:
            tools: The declarations; each has a name, and perhaps a description and parameters.
            system_prompt: The text of the conversation's own system message.

        Raises:
            RendererError: The format has no tools.
        """
        raise RendererError(
            "it has no format for tools",
            where=f"renderer {self.name}",
            fix="use a model and a renderer that have one",
        )

    def build_generation_prompt(
        self,
        messages: Sequence[Message],
        role: str = "assistant",
        prefill: str | None = None,
        *,
        tools: list[ToolSpec] | None = None,
    ) -> tinker.ModelInput:
        """The prompt for the next message of a conversation.

        Args:
            messages: The conversation so far.
            role: Whose message is sampled.
            prefill: The start of the answer, which the model continues. Control tokens spelled in
                it are control tokens: it comes from whoever wrote the evaluation.
            tools: Declarations of tools that the model may call.

        Returns:
            The prompt, with its tokens in one chunk unless images stand between them.

        Raises:
            RendererError: The format has no place for something in the conversation.
        """
        [prompt] = self.prompts([messages], tools=tools, prefill=prefill, role=role)
        return prompt.to_model_input()

    def prompt_tokens(
        self,
        messages: Sequence[Message],
        *,
        tools: list[ToolSpec] | None = None,
        prefill: str | None = None,
        role: str = "assistant",
    ) -> list[int]:
        """The token ids of ``build_generation_prompt``."""
        return self.prompt_tokens_batch([messages], tools=tools, prefill=prefill, role=role)[0]

    def prompt_tokens_batch(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        tools: list[ToolSpec] | None = None,
        prefill: str | None = None,
        role: str = "assistant",
    ) -> list[list[int]]:
        """The token ids of ``build_generation_prompt`` for several conversations at once.

        Raises:
            RendererError: The format has no place for something in a conversation, or an image
                stands in one.
        """
        prompts = self.prompts(conversations, tools=tools, prefill=prefill, role=role)
        return [prompt.text_tokens(f"renderer {self.name}") for prompt in prompts]

    def prompts(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        tools: list[ToolSpec] | None = None,
        prefill: str | None = None,
        role: str = "assistant",
    ) -> list[Prompt]:
        """The prompts for the next messages of several conversations, images among them."""
        declared = checked_tools(tools, self.name) if tools else None
        prompts = self.layout(conversations, role, declared)
        if not prefill:
            return prompts
        start = self.prefill_tokens(prefill)
        return [prompt.followed_by(start) for prompt in prompts]

    def layout(
        self,
        conversations: Sequence[Sequence[Message]],
        role: str,
        tools: list[ToolSpec] | None,
    ) -> list[Prompt]:
        """Conversations up to where the next message begins; a format with images overrides it."""
        return [Prompt(tokens) for tokens in self.layout_tokens(conversations, role, tools)]

    def layout_tokens(
        self,
        conversations: Sequence[Sequence[Message]],
        role: str,
        tools: list[ToolSpec] | None,
    ) -> list[list[int]]:
        """The same for a format without images; by the conversations' blocks."""
        declared = [self._with_tools(m, tools) if tools else m for m in conversations]
        return self.codec.encode([self.blocks(messages, role) for messages in declared])

    def prefill_tokens(self, prefill: str) -> list[int]:
        """The token ids of the start of an answer.

        Raises:
            RendererError: No answer of the format starts like that.
        """
        return self.codec.encode_markup(prefill)

    def _with_tools(self, messages: Sequence[Message], tools: list[ToolSpec]) -> list[Message]:
        rest = list(messages)
        system = ""
        if rest and rest[0]["role"] == "system":
            system = text_of(rest.pop(0), self.name)
        return [*self.declare_tools(tools, system), *rest]

    def answer_tokens(self, message: Message, *, prompt: Sequence[int] | None = None) -> list[int]:
        """The tokens that a model samples to answer with ``message``, its end included.

        Args:
            message: The assistant's message.
            prompt: The tokens that the answer continues; without it, the format's usual prompt.

        Raises:
            RendererError: The format has no place for something in the message.
        """
        in_thinking = self.opens_thinking if prompt is None else self._ends_in_thinking(prompt)
        return self.codec.encode([[self.answer_block(message, in_thinking)]])[0]

    def scored_tokens(
        self, messages: Sequence[Message], answers: Sequence[str]
    ) -> tuple[list[int], list[list[int]]]:
        """What is sent to learn how likely texts are as answers to a conversation.

        Args:
            messages: The conversation.
            answers: The texts.

        Returns:
            The prompt's tokens, and each answer's, its end included where the format has one.

        Raises:
            RendererError: The format has no place for something in the conversation.
        """
        prompt = self.prompt_tokens(messages)
        return prompt, [
            self.answer_tokens({"role": "assistant", "content": text}, prompt=prompt)
            for text in answers
        ]

    def get_stop_sequences(self) -> list[str] | list[int]:
        """Where sampling stops: token ids, or strings where the vocabulary lacks one of them."""
        if any(stop in self.codec.missing for stop in self.stops):
            return [stop.spelling for stop in self.stops]
        return [self.codec.ids[stop] for stop in self.stops]

    def parse_response(
        self,
        response: Sequence[int],
        *,
        prompt: Sequence[int] | None = None,
        prefill: str | None = None,
    ) -> tuple[Message, Termination]:
        """Reads sampled tokens back into a message.

        Args:
            response: The sampled tokens.
            prompt: The tokens that they continue, the prefill's included. It tells whether the
                answer begins inside thinking; without it, the format's usual prompt is assumed.
            prefill: The start of the answer that the prompt held. Where given, the message is the
                whole answer; else it holds what was sampled.

        Returns:
            The message, also where it is unfinished, and how it ended. Unfinished thinking is
            thinking, never text, and no stop signal is in the text.
        """
        start = self.prefill_tokens(prefill) if prefill else []
        in_thinking = self.opens_thinking
        if prompt is not None:
            in_thinking = self._ends_in_thinking(prompt[: len(prompt) - len(start)])
        body, termination = self._split_end(self.codec.read([*start, *response]))
        message, may_end = self.read_answer(body, in_thinking)
        return message, termination if may_end else Termination.MALFORMED

    def _ends_in_thinking(self, prompt: Sequence[int]) -> bool:
        opening = self.codec.ids.get(self.thinking_start) if self.thinking_start else None
        if opening is None:
            return self.opens_thinking
        controls = set(self.codec.ids.values())
        last = next((token for token in reversed(prompt) if token in controls), None)
        return last == opening

    def _split_end(self, pieces: list[Piece]) -> tuple[list[Piece], Termination]:
        """An answer up to its first end, and how it ended.

        What a server sends after the first end is ignored, but a second stop signal means that
        sampling did not stop where it should.
        """
        signals = (*self.stops, self.codec.eos, *self.other_ends)
        ends = [i for i, p in enumerate(pieces) if isinstance(p, Control) and p in signals]
        if not ends:
            return pieces, Termination.MALFORMED
        body, end = pieces[: ends[0]], pieces[ends[0]]
        if sum(piece in self.stops for piece in pieces) > 1:
            return body, Termination.MALFORMED
        if end in self.stops:
            return body, Termination.STOP_SEQUENCE
        if end == self.codec.eos and self.accepts_eos and ends == [len(pieces) - 1]:
            return body, Termination.EOS
        return body, Termination.MALFORMED
