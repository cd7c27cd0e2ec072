"""The base class of renderers: messages to prompt tokens, sampled tokens back to a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from proctor.errors import RendererError
from proctor.renderers.encoding import TextEncoder
from proctor.types import Message, Termination, ToolSpec

if TYPE_CHECKING:
    import tinker


class Renderer:
    """Base of renderers. It owns the prompt's format and the stop sequences.

    Args:
        tokenizer: The model's tokenizer, with transformers' interface.
    """

    version: ClassVar[int] = 1
    """Raised when the same messages come to have other tokens, or the same tokens another
    reading; part of every sample's key."""

    name: str = ""
    """The name that it was asked for by."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.encoder = TextEncoder(tokenizer)

    def prompt_tokens(
        self, messages: Sequence[Message], *, role: str = "assistant", prefill: str | None = None
    ) -> list[int]:
        """The tokens of a conversation, up to where the model goes on.

        Args:
            messages: The conversation.
            role: Whose turn it is.
            prefill: The start of that turn.

        Raises:
            RendererError: A message holds what this format has no place for.
        """
        raise NotImplementedError

    def prompt_tokens_batch(
        self, conversations: Sequence[Sequence[Message]], *, prefill: str | None = None
    ) -> list[list[int]]:
        """The tokens of several conversations, in order."""
        return [self.prompt_tokens(messages, prefill=prefill) for messages in conversations]

    def build_generation_prompt(
        self, messages: Sequence[Message], role: str = "assistant", prefill: str | None = None
    ) -> tinker.ModelInput:
        """The prompt of a conversation, as tinker's clients take it."""
        import tinker

        return tinker.ModelInput.from_ints(self.prompt_tokens(messages, role=role, prefill=prefill))

    def get_stop_sequences(self) -> list[str] | list[int]:
        """What ends an answer: token ids, or strings."""
        raise NotImplementedError

    def parse_response(self, response: list[int]) -> tuple[Message, Termination]:
        """Reads sampled tokens, stop tokens included, as a message.

        Returns:
            The message, without stop tokens and with its thinking and tool calls apart, and how it
            ended. There is always a message, also of an answer that was cut off.
        """
        raise NotImplementedError

    def create_conversation_prefix_with_tools(
        self, tools: Sequence[ToolSpec], system_prompt: str = ""
    ) -> list[Message]:
        """The messages that declare tools, before a conversation that may use them.

        Raises:
            RendererError: The format has no declaration of tools.
        """
        raise RendererError(
            f"the renderer {self.name or type(self).__name__!r} has no format for tools",
            fix="use the renderer of a model family that was trained with tools",
        )

    def text_of(self, message: Message) -> str:
        """A message's text, where the format has text only.

        Raises:
            RendererError: The message holds an image.
        """
        content = message["content"]
        if isinstance(content, str):
            return content
        texts = []
        for part in content:
            if part["type"] == "image":
                raise RendererError(
                    f"the renderer {self.name or type(self).__name__!r} has no format for images",
                    fix="use a dataset without images, or a renderer for a model that sees",
                )
            if part["type"] == "text":
                texts.append(part["text"])
        return "".join(texts)
