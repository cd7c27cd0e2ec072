"""Renderers by their names."""

from __future__ import annotations

from collections.abc import Callable

from proctor.renderers.adapted import AdaptedRenderer, ForeignRenderer
from proctor.renderers.base import Renderer
from proctor.renderers.tokenizers import LockedTokenizer, Tokenizer


def get_renderer(name: str, tokenizer: Tokenizer) -> Renderer:
    """The renderer of a name, for a tokenizer.

    Args:
        name: A name that the core or a plugin registered.
        tokenizer: The model's tokenizer, as ``proctor.get_tokenizer`` returns it.

    Returns:
        The renderer. One that only has tinker-cookbook's three methods is wrapped.

    Raises:
        UnknownComponentError: No renderer has the name; the message lists near ones.
        RendererError: The renderer can't work with the tokenizer.
    """
    tokenizer = LockedTokenizer.of(tokenizer)
    made = _registered_renderer(name)(tokenizer)
    return made if isinstance(made, Renderer) else AdaptedRenderer(made, tokenizer, name)


def _registered_renderer(name: str) -> Callable[[Tokenizer], Renderer | ForeignRenderer]:
    """The class, or the function, that makes the renderer of a name out of a tokenizer."""
    from proctor.plugins.active import plugin_manager

    registration = plugin_manager().registry.find("renderer", name)
    make: Callable[[Tokenizer], Renderer | ForeignRenderer] = registration.load()
    return make
