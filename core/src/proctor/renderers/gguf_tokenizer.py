"""A tokenizer from a GGUF file: rebuilt from the file's tokens and merges.

transformers' own conversion (5.5) is not used: it prepends a start token that the model was not
trained with, and after a save and a reload it maps spaces and newlines to token 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from proctor.errors import TokenizerError

if TYPE_CHECKING:
    import tokenizers
    from tokenizers.pre_tokenizers import PreTokenizer
    from tokenizers.processors import PostProcessor
    from transformers import PreTrainedTokenizerFast

Fields: TypeAlias = Mapping[str, Any]  # what whoever made a GGUF file put into it

_CONTROL, _USER_DEFINED = 3, 4
"""GGUF's token types for tokens that no merge makes: they are matched in the text as a whole."""

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}"
    r"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = frozenset({"llama-bpe", "llama3"})
_WORD_PATTERNS = {
    **dict.fromkeys(_LLAMA3, _WORDS.format(digits=r"\p{N}{1,3}")),
    "qwen2": _WORDS.format(digits=r"\p{N}"),
}
"""How a text is cut into words before any merge, as the models' own tokenizer.json files say it."""


def tokenizer_from_gguf(path: str | PathLike[str]) -> PreTrainedTokenizerFast:
    """Rebuilds the tokenizer that a GGUF file holds.

    Only byte-level BPE is known, with the pre-tokenizers of GPT-2, SmolLM, Llama 3 and Qwen 2. A
    start or an end token is added to encoded text only where the file's ``add_bos_token`` or
    ``add_eos_token`` says so. A byte that the vocabulary lacks is dropped, as llama.cpp does.

    Args:
        path: The ``.gguf`` file.

    Returns:
        A fast tokenizer with the file's special tokens, context length and chat template; it can be
        saved with ``save_pretrained`` and loaded again.

    Raises:
        TokenizerError: The file can't be read, or its kind of tokenizer is not known.
    """
    file = Path(path)
    fields = _read_fields(file)
    kind = fields.get("tokenizer.ggml.model")
    if kind != "gpt2" or "tokenizer.ggml.merges" not in fields:
        raise TokenizerError(
            f"its tokenizer, of the kind {kind!r}, is no byte-level BPE with merges",
            where=str(file),
            fix="name the model's folder or hub id instead",
        )
    return _wrap(fields, _byte_level_bpe(fields, file))


def _read_fields(file: Path) -> Fields:
    if not file.is_file():
        raise TokenizerError("no such file", where=str(file))
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise TokenizerError(
            "reading a GGUF file needs the package gguf", where=str(file), fix="pip install gguf"
        ) from error
    try:
        reader = GGUFReader(file)
        return {
            name: field.contents()
            for name, field in reader.fields.items()
            if name.startswith("tokenizer.") or name.endswith(".context_length")
        }
    except Exception as error:  # the reader fails in as many ways as a file can be broken
        raise TokenizerError(
            f"not a readable GGUF file ({type(error).__name__}: {error})",
            where=str(file),
            fix="download it again",
        ) from error


def _byte_level_bpe(fields: Fields, file: Path) -> tokenizers.Tokenizer:
    from tokenizers import AddedToken, Tokenizer, decoders, normalizers
    from tokenizers.models import BPE

    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    pre_tokenizer = fields.get("tokenizer.ggml.pre")
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(
        BPE(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=merges,
            # Llama 3's vocabulary holds words that its merges do not reach.
            ignore_merges=pre_tokenizer in _LLAMA3,
        )
    )
    tokenizer.pre_tokenizer = _pre_tokenizer(pre_tokenizer, file)
    if pre_tokenizer == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    types = fields.get("tokenizer.ggml.token_type") or [1] * len(tokens)
    whole = [index for index, kind in enumerate(types) if kind in (_CONTROL, _USER_DEFINED)]
    tokenizer.add_tokens(
        [
            AddedToken(tokens[index], special=types[index] == _CONTROL, normalized=False)
            for index in whole
        ]
    )
    processor = _post_processor(fields, tokens)
    if processor is not None:
        tokenizer.post_processor = processor
    return tokenizer


def _pre_tokenizer(name: str | None, file: Path) -> PreTokenizer:
    from tokenizers import Regex, pre_tokenizers

    if name == "gpt-2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if name == "smollm":
        steps = [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    elif name in _WORD_PATTERNS:
        steps = [
            pre_tokenizers.Split(Regex(_WORD_PATTERNS[name]), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    else:
        known = ", ".join(sorted({"gpt-2", "smollm", *_WORD_PATTERNS}))
        raise TokenizerError(
            f"its pre-tokenizer {name!r} is not among the known ones ({known})",
            where=str(file),
            fix="name the model's folder or hub id instead",
        )
    return pre_tokenizers.Sequence(steps)


def _special(fields: Fields, role: str) -> int | None:
    index = fields.get(f"tokenizer.ggml.{role}_token_id")
    return None if index is None else int(index)


def _post_processor(fields: Fields, tokens: list[str]) -> PostProcessor | None:
    from tokenizers.processors import TemplateProcessing

    # Llama 3's files may leave the flag out; its tokenizer always starts with the token.
    starts = fields.get("tokenizer.ggml.add_bos_token", fields.get("tokenizer.ggml.pre") in _LLAMA3)
    start = _special(fields, "bos") if starts else None
    end = _special(fields, "eos") if fields.get("tokenizer.ggml.add_eos_token") else None
    if start is None and end is None:
        return None
    first = [tokens[start]] if start is not None else []
    last = [tokens[end]] if end is not None else []
    return TemplateProcessing(
        single=[*first, "$A", *last],
        pair=[*first, "$A", *last, *(f"{token}:1" for token in first), "$B:1"]
        + [f"{token}:1" for token in last],
        special_tokens=[(tokens[i], i) for i in dict.fromkeys((start, end)) if i is not None],
    )


def _wrap(fields: Fields, tokenizer: tokenizers.Tokenizer) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    roles = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    special = {
        f"{role}_token": tokens[index]
        for role, key in roles.items()
        if (index := _special(fields, key)) is not None
    }
    options: dict[str, object] = {"clean_up_tokenization_spaces": False}
    for name, value in fields.items():
        if name.endswith(".context_length"):
            options["model_max_length"] = int(value)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special, **options)
    wrapped.chat_template = fields.get("tokenizer.chat_template")
    return wrapped
