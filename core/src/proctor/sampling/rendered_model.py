"""An opened model with the renderer that its prompts are written by."""

from __future__ import annotations

from dataclasses import dataclass

from proctor.renderers.base import Renderer
from proctor.renderers.by_name import get_renderer
from proctor.renderers.choosing import choose_renderer
from proctor.sampling.models import OpenedModel


@dataclass(frozen=True, slots=True)
class RenderedModel:
    """A model and its renderer.

    Attributes:
        model: The opened model.
        renderer_name: The renderer's name.
        renderer: The renderer.
    """

    model: OpenedModel
    renderer_name: str
    renderer: Renderer

    @classmethod
    def choose(cls, model: OpenedModel, renderer: str | None = None) -> RenderedModel:
        """A model with the renderer of a name, or with its own.

        Args:
            model: The opened model.
            renderer: The renderer's name; None to choose by the model.

        Raises:
            RendererError: No renderer fits the model.
        """
        name, _ = choose_renderer(
            name=renderer,
            model_name=model.identity.base_model,
            checkpoint_renderer_name=model.identity.renderer_name,
            tokenizer=model.tokenizer,
        )
        return cls(model, name, get_renderer(name, model.tokenizer))

    @property
    def renderer_key(self) -> str:
        """The renderer's name and version, as a sample's key has them."""
        return f"{self.renderer_name}:{self.renderer.version}"
