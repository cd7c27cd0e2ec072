"""Renderers by their names."""

from __future__ import annotations

from collections.abc import Callable

from proctor.renderers.adapted import AdaptedRenderer, ForeignRenderer
from proctor.renderers.base import Renderer
from proctor.renderers.named_options import check_options, split_options
from proctor.renderers.tokenizers import LockedTokenizer, Tokenizer


def get_renderer(name: str, tokenizer: Tokenizer) -> Renderer:
    """The renderer of a name, for a tokenizer.

    Args:
        name: A name that the core or a plugin registered, perhaps with options as JSON behind it.
        tokenizer: The model's tokenizer, as ``proctor.get_tokenizer`` returns it.

    Returns:
        The renderer. One that only has tinker-cookbook's three methods is wrapped.

    Raises:
        UnknownComponentError: No renderer has the name; the message lists near ones.
        RendererError: The renderer can't work with the tokenizer, or has no such option.
    """
    tokenizer = LockedTokenizer.of(tokenizer)
    bare, options = split_options(name)
    make = _registered_renderer(bare)
    if options:
        check_options(bare, make, options)
    made = make(tokenizer, **options)
    return made if isinstance(made, Renderer) else AdaptedRenderer(made, tokenizer, name)


def check_renderer_name(name: str, where: str) -> None:
    """Refuses a name that none has, and options that the renderer doesn't have.

    Args:
        name: The renderer's name, perhaps with options.
        where: Where it stands, for the error.

    Raises:
        UnknownComponentError: No renderer has the name; the message lists near ones.
        RendererError: The renderer has no such option.
    """
    from proctor.plugins.active import plugin_manager

    bare, options = split_options(name)
    registration = plugin_manager().registry.find("renderer", bare, where)
    if options:
        check_options(bare, registration.load(), options, where)


def _registered_renderer(name: str) -> Callable[..., Renderer | ForeignRenderer]:
    """The class, or the function, that makes the renderer of a name out of a tokenizer."""
    from proctor.plugins.active import plugin_manager

    registration = plugin_manager().registry.find("renderer", name)
    make: Callable[..., Renderer | ForeignRenderer] = registration.load()
    return make
