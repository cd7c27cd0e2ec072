"""Between pieces and token ids, such that text never turns into a control token."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from proctor.errors import RendererError
from proctor.renderers.markup import Block, Control, Piece
from proctor.renderers.tokenizers import Tokenizer

if TYPE_CHECKING:
    import tokenizers


class Rendered(NamedTuple):
    """A part of a rendered prompt: whether spelled control tokens in it are control tokens."""

    text: str
    may_hold_controls: bool


class TokenCodec:
    """Encodes prompts and reads answers with one tokenizer.

    Control tokens are written and recognised by their ids. Text is encoded so that none of them
    comes out of it, whatever it spells. A control token that the vocabulary lacks is written as
    text, and recognised in text, since there is nothing better; ``missing`` names those.

    Args:
        tokenizer: A tokenizer with transformers' interface.
        controls: The control tokens of the conversation's format.
        optional: More of them, which count only where the vocabulary has them.
    """

    def __init__(
        self, tokenizer: Tokenizer, controls: Iterable[Control], optional: Iterable[Control] = ()
    ) -> None:
        self.tokenizer = tokenizer
        self.ids: dict[Control, int] = {}
        self.missing: list[Control] = []
        eos = getattr(tokenizer, "eos_token", None)
        self.eos = Control(eos) if isinstance(eos, str) and eos else None
        required = [*controls, *([self.eos] if self.eos else [])]
        for control in dict.fromkeys([*required, *optional]):
            found = self.find(control.spelling)
            if found is not None:
                self.ids[control] = found
            elif control in required:
                self.missing.append(control)
        self._by_id = {number: control for control, number in self.ids.items()}
        self._reserved = _special_ids(tokenizer) | self._by_id.keys()
        self._plain = _without_controls(tokenizer, self._reserved)
        self._missing_pattern = _any_of(control.spelling for control in self.missing)
        self._decode_options: dict[str, bool] = {}
        if getattr(tokenizer, "clean_up_tokenization_spaces", False):
            self._decode_options["clean_up_tokenization_spaces"] = False
        # Kimi's own tokenizer takes this switch, and falls back to slow ways given any other.
        parameters = inspect.signature(tokenizer.encode).parameters
        self._has_special_switch = "allow_special_tokens" in parameters

    def find(self, spelling: str) -> int | None:
        """The id of the one token that a text is; None where the vocabulary has none."""
        convert = getattr(self.tokenizer, "convert_tokens_to_ids", None)
        if convert is None:  # a facade that only encodes and decodes
            is_end = self.eos is not None and spelling == self.eos.spelling
            return getattr(self.tokenizer, "eos_token_id", None) if is_end else None
        number = convert(spelling)
        unknown = getattr(self.tokenizer, "unk_token", None)
        if number is None or (spelling != unknown and number == self._unknown_id):
            return None
        return int(number)

    @property
    def _unknown_id(self) -> int | None:
        return getattr(self.tokenizer, "unk_token_id", None)

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids that text never encodes to: special tokens, and the format's control tokens."""
        return self._reserved

    def encode(self, prompts: Sequence[Sequence[Block]]) -> list[list[int]]:
        """The tokens of several prompts, each a sequence of blocks."""
        flat = [self._flatten(blocks) for blocks in prompts]
        texts = list(dict.fromkeys(part for parts in flat for part in parts if type(part) is str))
        encoded = dict(zip(texts, self.encode_texts(texts), strict=True))
        prompts_tokens = []
        for parts in flat:
            tokens: list[int] = []
            for part in parts:
                if isinstance(part, str):
                    tokens.extend(encoded[part])
                else:
                    tokens.append(part)
            prompts_tokens.append(tokens)
        return prompts_tokens

    def _flatten(self, blocks: Iterable[Block]) -> list[str | int]:
        parts: list[str | int] = []
        for block in blocks:
            text = ""
            for piece in block:
                if isinstance(piece, str):
                    text += piece
                elif piece in self.ids:
                    if text:
                        parts.append(text)
                        text = ""
                    parts.append(self.ids[piece])
                else:
                    text += piece.spelling
            if text:
                parts.append(text)
        return parts

    def encode_rendered(self, prompts: Sequence[Sequence[Rendered]]) -> list[list[int]]:
        """The tokens of several prompts that were rendered to text."""
        trusted = list(dict.fromkeys(p.text for parts in prompts for p in parts if p[1]))
        plain = list(dict.fromkeys(p.text for parts in prompts for p in parts if not p[1]))
        encoded = {
            (t, True): ids
            for t, ids in zip(trusted, self._encode(trusted, as_markup=True), strict=True)
        }
        encoded |= {(t, False): ids for t, ids in zip(plain, self.encode_texts(plain), strict=True)}
        return [[token for part in parts for token in encoded[part]] for parts in prompts]

    def encode_texts(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of plain texts; no special token and no control token is among them.

        Raises:
            RendererError: The tokenizer makes a special token of a text's single character.
        """
        return [
            tokens if self._reserved.isdisjoint(tokens) else self._encode_ordinary(text)
            for text, tokens in zip(texts, self._encode(texts), strict=True)
        ]

    def encode_markup(self, text: str) -> list[int]:
        """The tokens of trusted text, in which spelled control tokens are control tokens."""
        return self._encode([text], as_markup=True)[0]

    def _encode(self, texts: Sequence[str], *, as_markup: bool = False) -> list[list[int]]:
        """Encodes as the tokenizer does; in plain text it may find special tokens."""
        if not texts:
            return []
        if self._plain is not None and not as_markup:
            encodings = self._plain.encode_batch_fast(list(texts), add_special_tokens=False)
            return [encoding.ids for encoding in encodings]
        encode = self.tokenizer.encode
        if self._has_special_switch:
            return [list(encode(text, allow_special_tokens=as_markup)) for text in texts]
        if not getattr(self.tokenizer, "is_fast", False):
            return [list(encode(text, add_special_tokens=False)) for text in texts]
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return [list(tokens) for tokens in encoded["input_ids"]]

    def _encode_ordinary(self, text: str) -> list[int]:
        """Encodes text that spells a control token, in pieces that are too short to spell it."""
        for pieces in (self._cut(text), list(text)):
            tokens = [token for part in self._encode(pieces) for token in part]
            if self._reserved.isdisjoint(tokens):
                return tokens
        raise RendererError(
            "a message holds a character that the tokenizer reads as a special token",
            fix="remove it from the dataset",
        )

    def _cut(self, text: str) -> list[str]:
        spellings = [self.tokenizer.decode([number]) for number in self._reserved]
        pattern = _any_of(s for s in spellings if len(s) > 1)
        cuts = [m.start() + 1 for m in pattern.finditer(text)] if pattern else []
        bounds = [0, *cuts, len(text)]
        return [text[a:b] for a, b in itertools.pairwise(bounds) if a < b]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, with special tokens spelled out."""
        return str(self.tokenizer.decode(list(tokens), **self._decode_options))

    def read(self, tokens: Iterable[int]) -> list[Piece]:
        """Tokens as pieces: control tokens by their ids, everything between them as text."""
        pieces: list[Piece] = []
        run: list[int] = []

        def flush() -> None:
            if run:
                pieces.extend(self._split_missing(self.decode(run)))
                run.clear()

        for token in tokens:
            control = self._by_id.get(token)
            if control is None:
                run.append(token)
            else:
                flush()
                pieces.append(control)
        flush()
        return pieces

    def _split_missing(self, text: str) -> list[Piece]:
        if self._missing_pattern is None:
            return [text]
        pieces: list[Piece] = []
        start = 0
        for match in self._missing_pattern.finditer(text):
            pieces.extend((text[start : match.start()], Control(match.group())))
            start = match.end()
        pieces.append(text[start:])
        return [piece for piece in pieces if piece != ""]


def _without_controls(
    tokenizer: Tokenizer, reserved: frozenset[int]
) -> tokenizers.Tokenizer | None:
    """A fast tokenizer's own steps, without the one that looks for control tokens.

    Its switch for that is state, which another thread may be relying on. This one shares the
    vocabulary, and keeps the added tokens that are ordinary text. None where there is no such.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not getattr(tokenizer, "is_fast", False):
        return None
    import tokenizers

    plain = tokenizers.Tokenizer(backend.model)
    for part in ("normalizer", "pre_tokenizer"):
        if (value := getattr(backend, part)) is not None:
            setattr(plain, part, value)
    ordinary = {
        number: token
        for number, token in sorted(tokenizer.added_tokens_decoder.items())
        if number not in reserved
    }
    plain.add_tokens(list(ordinary.values()))
    keeps_ids = all(plain.token_to_id(t.content) == number for number, t in ordinary.items())
    return plain if keeps_ids else None


def _any_of(spellings: Iterable[str]) -> re.Pattern[str] | None:
    alternatives = sorted(set(spellings), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, alternatives))) if alternatives else None


def _special_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Ids of the special tokens.

    Added tokens that aren't special are left out: in several vocabularies they are runs of spaces,
    line breaks or HTML tags, which ordinary text is meant to use.
    """
    added = getattr(tokenizer, "added_tokens_decoder", {})
    special = {int(number) for number, token in added.items() if getattr(token, "special", False)}
    special.update(getattr(tokenizer, "all_special_ids", ()))
    if _makes_unknown(tokenizer):
        special -= {getattr(tokenizer, "unk_token_id", None)}
    return frozenset(special)


def _makes_unknown(tokenizer: Tokenizer) -> bool:
    """Whether ordinary text can encode to the unknown token; byte-level vocabularies never do."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return True
    model = backend.model
    return getattr(model, "unk_token", None) is not None or hasattr(model, "unk_id")
