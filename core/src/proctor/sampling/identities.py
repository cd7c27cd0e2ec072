"""Which model a sampling client samples from."""

from __future__ import annotations

import uuid
import weakref
from pathlib import Path

from proctor.errors import BackendError
from proctor.renderers.tokenizers import Tokenizer, get_tokenizer, tokenizer_of_plugins
from proctor.sampling.models import Client, OpenedModel
from proctor.types import ModelIdentity


def identify(client: Client) -> OpenedModel:
    """A sampling client as an opened model: who it is, as far as it says, and its tokenizer.

    Raises:
        BackendError: The client has no ``get_tokenizer``.
    """
    tokenizer = tokenizer_of(client)
    return OpenedModel(client, identity_of(client, tokenizer), tokenizer)


def tokenizer_of(client: Client) -> Tokenizer:
    """The tokenizer of a sampling client's model. It may be fetched: this blocks.

    Raises:
        BackendError: The client can't say which it is.
    """
    base_model = getattr(client, "_base_model", None)
    # the SDK takes a folder's path for a hub's id, and cuts it at its second slash
    if isinstance(base_model, str) and Path(base_model).is_dir():
        return get_tokenizer(base_model)
    if isinstance(base_model, str) and (found := tokenizer_of_plugins(base_model)) is not None:
        return found
    if not hasattr(client, "get_tokenizer"):
        raise BackendError(
            f"{type(client).__name__} has no get_tokenizer(), which rendering prompts needs",
            fix="give the evaluation a context with a tokenizer",
        )
    return client.get_tokenizer()


def identity_of(client: Client, tokenizer: Tokenizer) -> ModelIdentity:
    """Which model a sampling client samples from, as far as it says.

    A tinker client without a checkpoint's path is known by its sampling session; any other by the
    object itself, which another process can't mistake for the same model.
    """
    known = getattr(client, "identity", None)
    if isinstance(known, ModelIdentity):
        return known
    base_model = getattr(client, "_base_model", None) or getattr(tokenizer, "name_or_path", "")
    session = getattr(client, "_sampling_session_id", None) or _session_of(client)
    backend = "tinker" if type(client).__module__.startswith("tinker") else "client"
    return ModelIdentity(backend=backend, base_model=str(base_model), session=str(session))


_sessions: weakref.WeakKeyDictionary[Client, str] = weakref.WeakKeyDictionary()


def _session_of(client: Client) -> str:
    """A name for a client object that no other object, alive or gone, ever has."""
    try:
        return _sessions.setdefault(client, f"object-{uuid.uuid4().hex}")
    except TypeError:  # an object that can't be referred to weakly gets a new name each time
        return f"object-{uuid.uuid4().hex}"
