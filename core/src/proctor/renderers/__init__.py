"""Renderers: messages to prompt tokens, sampled tokens back to a message.

Names and methods are tinker-cookbook's, so that code written for its renderers works here.
"""

from __future__ import annotations

from typing import Any

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.checks import RendererWarning, early_warning, quick_check
from proctor.renderers.choosing import choose_renderer
from proctor.types import (
    ImagePart,
    Message,
    Termination as ParseTermination,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolSpec,
    UnparsedToolCall,
)

BUILTIN = {
    "chat_template": "proctor.renderers.chat_template:ChatTemplateRenderer",
    "role_colon": "proctor.renderers.role_colon:RoleColonRenderer",
}
"""The core's renderers: each name and where its class is."""


def renderer_names() -> list[str]:
    """The names of all renderers, those of plugins included."""
    from proctor.plugins import plugin_manager

    return sorted({r.name for r in plugin_manager().registry.of_kind("renderer")})


def get_renderer(name: str, tokenizer: Any, **options: Any) -> Renderer:
    """The renderer of that name, for a tokenizer.

    Args:
        name: Its name, or ``distribution/name``.
        tokenizer: The model's tokenizer.
        **options: Options of the renderer, if it has any.

    Raises:
        UnknownComponentError: No working plugin has it.
        RendererError: It can't be used with this tokenizer.
    """
    from proctor.plugins import plugin_manager

    made = plugin_manager().registry.find("renderer", name).load()(tokenizer, **options)
    if not all(hasattr(made, method) for method in ("parse_response", "get_stop_sequences")):
        raise RendererError(f"{name!r} is no renderer", fix="mend the plugin that registers it")
    made.name = name
    renderer: Renderer = made
    return renderer


__all__ = [
    "BUILTIN",
    "ImagePart",
    "Message",
    "ParseTermination",
    "Renderer",
    "RendererWarning",
    "TextPart",
    "ThinkingPart",
    "ToolCall",
    "ToolSpec",
    "UnparsedToolCall",
    "choose_renderer",
    "early_warning",
    "get_renderer",
    "quick_check",
    "renderer_names",
]
