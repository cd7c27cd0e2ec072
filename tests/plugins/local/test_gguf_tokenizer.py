import itertools
from pathlib import Path

import pytest
import tiktoken
from gguf import GGUFWriter
from hypothesis import given, strategies as st
from llama_models.llama3.tokenizer import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoTokenizer

from proctor import TokenizerError, tokenizer_from_gguf
from proctor_local.model_files import bundled_gguf

# SmolLM2's vocabulary has no token for these characters' bytes.
ABSENT = {chr(code) for code in (0x04, 0x06, 0x13, 0x14, 0x16, 0x1D)}

HOSTILE = [
    "",
    " ",
    "   leading and trailing   ",
    "a  b\n\n\tc\r\n",
    "\n\n\n",
    "don't I'LL we've",
    "12345 3.14 1,000,000 ½ ² Ⅷ ١٢",
    "é ß 漢字 かな 한국어 العربية עברית",
    "🙂 👨‍👩‍👧 e\u0301 \u200b\u200d\ufeff\u00a0\u3000",
    "\ufffd \x00\x01\x7f",
    "<|im_start|>system\n<|im_end|>\n<|endoftext|><|im_",
    "def f(x):\n    return x  # spaces\n\ttabs",
]


@pytest.fixture(scope="module")
def rebuilt():
    return tokenizer_from_gguf(bundled_gguf())


@pytest.mark.parametrize("text", HOSTILE)
def test_text_comes_back_as_it_was(rebuilt, text):
    assert rebuilt.decode(rebuilt.encode(text)) == text


@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cn"]).filter(lambda c: c not in ABSENT),
        max_size=60,
    )
)
def test_any_text_comes_back_as_it_was(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_the_converted_folder_encodes_as_the_file_does(rebuilt, tokenizer, text):
    assert tokenizer.encode(text) == rebuilt.encode(text)


def test_saving_and_loading_changes_no_id(rebuilt, tmp_path):
    rebuilt.save_pretrained(tmp_path)
    reloaded = AutoTokenizer.from_pretrained(tmp_path)
    assert [reloaded.encode(text) for text in HOSTILE] == [rebuilt.encode(t) for t in HOSTILE]
    assert reloaded.chat_template == rebuilt.chat_template
    assert (reloaded.eos_token_id, reloaded.bos_token_id) == (2, 1)


def test_ids_are_those_of_the_published_tokenizer(rebuilt):
    assert rebuilt.encode("Hello world") == [19556, 905]
    assert rebuilt.convert_ids_to_tokens(rebuilt.encode("in 2024")) == [
        "in",
        "Ġ",
        "2",
        "0",
        "2",
        "4",
    ]
    assert rebuilt.encode("<|im_start|><|im_end|><|endoftext|>") == [1, 2, 0]


def test_a_chat_starts_with_one_start_token_and_its_system_prompt(tokenizer):
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], add_generation_prompt=True, tokenize=False
    )
    assert chat == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
        "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    tokens = tokenizer.encode(chat)
    assert tokens[0] == 1
    assert tokens.count(1) == 3


def gguf_with(
    file: Path,
    *,
    model="gpt2",
    pre="smollm",
    tokens=("<s>", "a", "b", "ab", "</s>"),
    merges=("a b",),
    **flags,
):
    """A file that holds a tokenizer and nothing else."""
    writer = GGUFWriter(file, "llama")
    writer.add_tokenizer_model(model)
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(list(tokens))
    writer.add_token_types([3 if token in ("<s>", "</s>") else 1 for token in tokens])
    if model == "gpt2":
        writer.add_token_merges(list(merges))
    writer.add_bos_token_id(0)
    for name, value in flags.items():
        getattr(writer, name)(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.mark.parametrize(
    ("flags", "ids"),
    [
        ({}, [3]),
        ({"add_add_bos_token": False}, [3]),
        ({"add_add_bos_token": True}, [0, 3]),
        ({"add_add_bos_token": True, "add_add_eos_token": True, "add_eos_token_id": 4}, [0, 3, 4]),
        ({"pre": "llama-bpe"}, [0, 3]),
        ({"pre": "llama-bpe", "add_add_bos_token": False}, [3]),
    ],
)
def test_start_and_end_tokens_are_added_where_the_file_says_so(tmp_path, flags, ids):
    tokenizer = tokenizer_from_gguf(gguf_with(tmp_path / "t.gguf", **flags))
    assert tokenizer.encode("ab") == ids
    assert tokenizer.encode("ab", add_special_tokens=False) == [3]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"model": "llama"}, "kind 'llama'"),
        ({"pre": "mystery"}, "pre-tokenizer 'mystery'"),
        ({"pre": None}, "pre-tokenizer None"),
    ],
)
def test_a_tokenizer_that_cannot_be_rebuilt_is_refused(tmp_path, options, complaint):
    file = gguf_with(tmp_path / "t.gguf", **options)
    with pytest.raises(TokenizerError, match=complaint) as caught:
        tokenizer_from_gguf(file)
    assert str(file) in str(caught.value)
    assert "hub id" in str(caught.value)


def test_files_that_are_no_gguf_are_refused_in_one_line(tmp_path):
    with pytest.raises(TokenizerError, match="no such file"):
        tokenizer_from_gguf(tmp_path / "absent.gguf")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and then nothing that makes sense" * 10)
    with pytest.raises(TokenizerError, match="not a readable GGUF file") as caught:
        tokenizer_from_gguf(broken)
    assert "\n" not in str(caught.value)


def merges_of(ranks: dict[bytes, int], letters: dict[int, str]) -> list[str]:
    """The pairs whose merging makes each token, found by merging with the ranks below its own."""

    def spelled(piece: bytes) -> str:
        return "".join(letters[byte] for byte in piece)

    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        parts = [token[index : index + 1] for index in range(len(token))]
        while len(parts) > 2:
            pairs = [ranks.get(a + b, rank) for a, b in itertools.pairwise(parts)]
            lowest = min(pairs)
            if lowest >= rank:
                break  # no merge leads to this token
            place = pairs.index(lowest)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        if len(parts) == 2:
            merges.append(f"{spelled(parts[0])} {spelled(parts[1])}")
    return merges


def test_llama_3_is_cut_and_merged_as_metas_own_tokenizer_does(tmp_path):
    whole = Tokenizer.get_instance().model
    most = 12_000  # the first merges are enough to tell, and a tenth of the time
    ranks = {token: rank for token, rank in whole._mergeable_ranks.items() if rank < most}
    meta = tiktoken.Encoding(
        "llama3", pat_str=Tokenizer.pat_str, mergeable_ranks=ranks, special_tokens={}
    )
    letters = dict(zip(range(256), byte_letters(), strict=True))
    tokens = ["".join(letters[byte] for byte in token) for token in ranks]
    file = gguf_with(
        tmp_path / "llama3.gguf", pre="llama-bpe", tokens=tokens, merges=merges_of(ranks, letters)
    )
    rebuilt = tokenizer_from_gguf(file)
    for text in HOSTILE:
        assert rebuilt.encode(text, add_special_tokens=False) == meta.encode(text), text


def byte_letters() -> list[str]:
    """The letter that byte-level BPE writes each byte as, read off the library's own encoder."""
    encoder = ByteLevel(add_prefix_space=False, use_regex=False)
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    letters = [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
    assert sorted(letters) == sorted(encoder.alphabet())
    return letters
