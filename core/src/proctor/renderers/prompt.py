"""What a renderer makes of a conversation: tokens, and images among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proctor.errors import RendererError
from proctor.images import Image, PlacedImage

if TYPE_CHECKING:
    import tinker


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it is sent.

    Attributes:
        tokens: The token ids, without any that stand for images.
        images: The images, in order.
    """

    tokens: list[int]
    images: tuple[PlacedImage, ...] = ()

    @classmethod
    def of_model_input(cls, model_input: tinker.ModelInput) -> Prompt:
        """The prompt that tinker's form says.

        Raises:
            RendererError: It has a chunk that is neither tokens nor an image with its bytes, or an
                image without its number of tokens.
        """
        tokens: list[int] = []
        images: list[PlacedImage] = []
        for chunk in model_input.chunks:
            if hasattr(chunk, "tokens"):
                tokens.extend(map(int, chunk.tokens))
                continue
            data = getattr(chunk, "data", None)
            expected = getattr(chunk, "expected_tokens", None)
            if not isinstance(data, bytes) or expected is None:
                raise RendererError(
                    f"a prompt holds a chunk of type {type(chunk).__name__} that says neither its "
                    "tokens nor an image's bytes and number of tokens"
                )
            image = Image(data, str(getattr(chunk, "format", "")))
            images.append(PlacedImage(len(tokens), image, int(expected)))
        return cls(tokens, tuple(images))

    @property
    def length(self) -> int:
        """How many tokens it takes of the model's context, those of its images among them."""
        return len(self.tokens) + sum(image.tokens for image in self.images)

    @property
    def key(self) -> list[object]:
        """What tells it from others: its tokens, and with images where which stands."""
        if not self.images:
            return list(self.tokens)
        return [list(self.tokens), [image.key for image in self.images]]

    def followed_by(self, tokens: Sequence[int]) -> Prompt:
        """This prompt with more tokens behind it."""
        return replace(self, tokens=[*self.tokens, *tokens])

    def text(self, decode: Callable[[list[int]], str]) -> str:
        """The prompt as text, with a label where an image stands; ``decode`` spells tokens."""
        pieces = []
        start = 0
        for placed in self.images:
            pieces += [decode(self.tokens[start : placed.at]), placed.image.label]
            start = placed.at
        return "".join([*pieces, decode(self.tokens[start:])])

    def text_tokens(self, where: str) -> list[int]:
        """The token ids of a prompt that has nothing else.

        Args:
            where: Who wants no images, for the error.

        Raises:
            RendererError: It has an image.
        """
        if self.images:
            raise RendererError(
                "the prompt holds an image, where only tokens can stand",
                where=where,
                fix="leave rows with images out here, or sample answers to them and grade those",
            )
        return self.tokens

    def to_model_input(self) -> tinker.ModelInput:
        """The prompt in tinker's form: one chunk of tokens, unless images stand between them."""
        import tinker

        if not self.images:
            return tinker.ModelInput.from_ints(list(self.tokens))
        chunks: list[tinker.ModelInputChunk] = []
        start = 0
        for placed in self.images:
            if placed.at > start:
                text = self.tokens[start : placed.at]
                chunks.append(tinker.types.EncodedTextChunk(tokens=text))
            start = placed.at
            chunks.append(
                tinker.types.ImageChunk(
                    data=placed.image.data,
                    format=placed.image.format,  # tinker checks it
                    expected_tokens=placed.tokens,
                )
            )
        if self.tokens[start:]:
            chunks.append(tinker.types.EncodedTextChunk(tokens=self.tokens[start:]))
        return tinker.ModelInput(chunks=chunks)
