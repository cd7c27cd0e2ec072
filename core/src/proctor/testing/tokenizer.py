"""A tokenizer of bytes, so that tests of the loop need no model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class ByteTokenizer:
    """One token a byte of UTF-8, and an end-of-text token, with transformers' interface."""

    eos_token = "<|endoftext|>"  # noqa: S105, no secret
    eos_token_id = 256
    bos_token: str | None = None
    bos_token_id: int | None = None
    chat_template: str | None = None
    name_or_path = "bytes-base"
    vocab_size = 257

    def encode(self, text: str, add_special_tokens: bool = False, **_: object) -> list[int]:
        """The bytes of the text."""
        return list(text.encode("utf-8", "surrogatepass"))

    def decode(self, tokens: Sequence[int] | int, skip_special_tokens: bool = False) -> str:
        """The text of the bytes."""
        ids: Iterable[int] = [tokens] if isinstance(tokens, int) else tokens
        text = ""
        pending = bytearray()
        for token in ids:
            if token < 256:
                pending.append(token)
                continue
            text += pending.decode("utf-8", "replace")
            pending.clear()
            if not skip_special_tokens:
                text += self.eos_token
        return text + pending.decode("utf-8", "replace")

    def __call__(
        self, text: str | list[str], **options: object
    ) -> dict[str, list[int] | list[list[int]]]:
        """The tokens of one text or of several, as transformers returns them."""
        if isinstance(text, str):
            return {"input_ids": self.encode(text)}
        return {"input_ids": [self.encode(one) for one in text]}

    def convert_tokens_to_ids(self, token: str) -> int | None:
        """The id of the end-of-text token; None for any other that is no single byte."""
        if token == self.eos_token:
            return self.eos_token_id
        encoded = self.encode(token)
        return encoded[0] if len(encoded) == 1 else None

    def get_vocab(self) -> dict[str, int]:
        """The tokens that have a name."""
        return {self.eos_token: self.eos_token_id}

    @property
    def all_special_ids(self) -> list[int]:
        """The end-of-text token's id."""
        return [self.eos_token_id]

    @property
    def all_special_tokens(self) -> list[str]:
        """The end-of-text token."""
        return [self.eos_token]
