"""tinker-cookbook's renderers, each as a function of a tokenizer under its own name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proctor import RendererError, one_line
from proctor.renderers import get_renderer
from proctor_cookbook import RENDERERS
from proctor_cookbook.image_processors import ImageProcessorOnDemand
from proctor_cookbook.inkling import InklingRenderer
from proctor_cookbook.template_checks import told_of

READERS = {"deepseekv3": "deepseekv3", "gpt_oss": "gpt_oss_medium_reasoning", "kimi": "kimi_k2"}
"""Families whose answers are read by our own renderer, by how their names begin.

tinker-cookbook's give back an analysis that does not end, and a second section of calls, as text.
"""


def make_renderer(name: str, tokenizer: Any) -> Any:
    """The renderer of a name, for a tokenizer; its image processor is loaded with the first image.

    Raises:
        RendererError: tinker-cookbook can't make it, as for a tokenizer of another family.
    """
    from tinker_cookbook import renderers

    try:
        processor: Any = ImageProcessorOnDemand(tokenizer, f"cookbook/{name}")
        made: Any = renderers.get_renderer(name, tokenizer, processor)
    except Exception as error:
        raise RendererError(
            f"tinker-cookbook can't make it ({one_line(error)})",
            where=f"renderer cookbook/{name}",
            fix="choose the renderer of the model's own family",
        ) from error
    if name == "tml_v0":
        return InklingRenderer(made, tokenizer)
    made.takes_images = getattr(made, "image_processor", None) is processor
    told = told_of(name, tokenizer)
    made.template_arguments = told.arguments
    made.template_differences = told.differences
    made.differs_on = told.differs_on
    if name.startswith("deepseekv4_1"):
        made.call_tags = ("<｜DSML｜ calls>", "</｜DSML｜ calls>")
    if reader := next((ours for start, ours in READERS.items() if name.startswith(start)), None):
        made.reader = get_renderer(reader, tokenizer)
    return made


def __getattr__(name: str) -> Callable[[Any], Any]:
    if name not in RENDERERS:
        raise AttributeError(f"tinker-cookbook has no renderer {name!r}")

    def renderer(tokenizer: Any) -> Any:
        return make_renderer(name, tokenizer)

    renderer.__doc__ = f"tinker-cookbook's renderer {name}."
    return renderer
