"""Which renderer a model needs, where nobody says."""

from __future__ import annotations

import re
from typing import Any

from proctor.errors import RendererError

FAMILIES: tuple[tuple[str, str], ...] = (
    (r"smollm.*instruct", "chat_template"),
    (r"-base$|[-_]base[-_]|smollm", "role_colon"),
)
"""Patterns of model names, in their order, and the renderer of each family."""


def choose_renderer(
    name: str | None = None,
    model_name: str | None = None,
    checkpoint_renderer_name: str | None = None,
    tokenizer: Any = None,
) -> tuple[str, str]:
    """The renderer to use, and why.

    In this order: the one named; what the checkpoint's metadata says; the model family's; the
    tokenizer's own chat template.

    Args:
        name: The name in the config.
        model_name: The model's name.
        checkpoint_renderer_name: The checkpoint's ``renderer_name``.
        tokenizer: The model's tokenizer.

    Raises:
        RendererError: None of them says; it lists the renderers there are.
    """
    if name:
        return name, "it was named"
    if checkpoint_renderer_name:
        return checkpoint_renderer_name, "the checkpoint's metadata names it"
    family = (model_name or "").rsplit("/", 1)[-1].lower()
    for pattern, renderer in FAMILIES:
        if re.search(pattern, family):
            return renderer, f"the model's name, {model_name}, is of its family"
    if getattr(tokenizer, "chat_template", None):
        return "chat_template", "the tokenizer has a chat template"
    from proctor.renderers import renderer_names

    raise RendererError(
        f"no renderer is known for the model {model_name!r}",
        fix=f"name one: renderer: {' | '.join(renderer_names())}",
    )
