"""Loading tokenizers, with errors that say what to do."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from proctor.errors import TokenizerError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokenizer: TypeAlias = Any  # transformers' tokenizers, and whatever has their interface

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("GatedRepoError", "gated repo"),
        "it is gated on the hub",
        "accept its licence on the model's page and set HF_TOKEN, or name a local folder",
    ),
    (
        ("RepositoryNotFoundError", "not a valid model identifier", "HFValidationError"),
        "the hub has no model of that name, or it is private",
        "check the spelling; for a private model set HF_TOKEN",
    ),
    (
        ("trust_remote_code", "custom code"),
        "its tokenizer is code from the hub",
        "if you trust it, load it with trust_remote_code=True",
    ),
    (
        ("OfflineMode", "ConnectionError", "ConnectError", "connect to", "Timeout", "MaxRetry"),
        "it is not in the local cache, and the hub can't be reached",
        "check the network and HF_HUB_OFFLINE, or name a local folder or a .gguf file",
    ),
)
"""Names and words in a chain of exceptions, what they mean, and what to do; the first counts."""


def get_tokenizer(model: str, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """Loads the tokenizer of a model; a second call returns the same object.

    Args:
        model: A hub id, a local folder, or a GGUF file.
        trust_remote_code: Whether to run a tokenizer's own code from the hub.

    Returns:
        A tokenizer with transformers' interface.

    Raises:
        TokenizerError: It can't be loaded; the message says why, and what to do.
        PluginError: The plugin that has it raised.
    """
    found: PreTrainedTokenizerBase | None = tokenizer_of_plugins(str(model))
    return _load(str(model), trust_remote_code) if found is None else found


def tokenizer_of_plugins(model: str) -> Tokenizer | None:
    """The tokenizer that a plugin has for a model; None where none has.

    Raises:
        PluginError: A plugin raised.
    """
    from proctor.plugins.active import plugin_manager

    return plugin_manager().load_tokenizer(model)


class LockedTokenizer:
    """A tokenizer that one thread at a time uses; its methods and attributes are the tokenizer's.

    transformers' fast tokenizers keep a call's options as state: a call in another thread may be
    encoded with them, or fails as "Already borrowed".

    Args:
        tokenizer: The tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._lock = _lock_of(tokenizer)
        self._methods: dict[str, Callable[..., object]] = {}

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Tokenizer:
        """A tokenizer with a lock; None and one that has it are left as they are."""
        if tokenizer is None or isinstance(tokenizer, cls):
            return tokenizer
        return cls(tokenizer)

    def __getattr__(self, name: str) -> Any:  # whatever the tokenizer has
        if name in self._methods:
            return self._methods[name]
        value = getattr(self._tokenizer, name)
        if not inspect.ismethod(value):
            return value
        self._methods[name] = _locked(value, self._lock)
        return self._methods[name]

    def __call__(self, *arguments: object, **options: object) -> Any:  # the tokenizer's own kind
        """Encodes, as transformers' tokenizers do when they are called."""
        with self._lock:
            return self._tokenizer(*arguments, **options)

    def __len__(self) -> int:
        return len(self._tokenizer)

    def __bool__(self) -> bool:
        # not by its length, which some tokenizers don't have
        return True


_locks: WeakKeyDictionary[Tokenizer, threading.RLock] = WeakKeyDictionary()


def _locked(
    method: Callable[Arguments, Result], lock: threading.RLock
) -> Callable[Arguments, Result]:
    @wraps(method)
    def locked(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        with lock:
            return method(*arguments, **options)

    return locked


def _lock_of(tokenizer: Tokenizer) -> threading.RLock:
    """The one lock of a tokenizer."""
    try:
        return _locks.setdefault(tokenizer, threading.RLock())
    except TypeError:  # an object that can't be referred to weakly
        return threading.RLock()


@lru_cache(maxsize=16)
def _load(model: str, trust_remote_code: bool) -> PreTrainedTokenizerBase:
    path = Path(model).expanduser()
    if path.suffix.lower() == ".gguf":
        from proctor.renderers.gguf_tokenizer import tokenizer_from_gguf

        return tokenizer_from_gguf(path)
    if not path.is_dir() and (path.is_absolute() or model.startswith((".", "~"))):
        raise TokenizerError("no such folder", where=model, fix="check the path")
    from transformers import AutoTokenizer

    # Its retries log a line each, and what is said below is enough.
    hub = logging.getLogger("huggingface_hub")
    level = hub.level
    hub.setLevel(logging.ERROR)
    try:
        return AutoTokenizer.from_pretrained(
            str(path) if path.is_dir() else model, trust_remote_code=trust_remote_code
        )
    except Exception as error:  # the hub, the cache and the parsers each have kinds of their own
        what, fix = _explain(error, path)
        raise TokenizerError(what, where=f"tokenizer of {model}", fix=fix) from error
    finally:
        hub.setLevel(level)


def _explain(error: BaseException, path: Path) -> tuple[str, str]:
    chain: list[str] = []
    link: BaseException | None = error
    while link is not None and len(chain) < 10:
        chain.append(f"{type(link).__name__}: {link}")
        link = link.__cause__ or link.__context__
    story = "\n".join(chain).lower()
    if path.is_dir():
        return f"the folder holds no tokenizer that can be read ({_brief(error)})", (
            "save one there with tokenizer.save_pretrained"
        )
    for words, what, fix in _CAUSES:
        if any(word.lower() in story for word in words):
            return what, fix
    return f"it can't be loaded ({_brief(error)})", "check the name, or name a local folder"


def _brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
