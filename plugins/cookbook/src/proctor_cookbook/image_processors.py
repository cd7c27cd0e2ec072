"""The image processors of vision models, which count an image's tokens."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from proctor import RendererError, one_line

RUN_CODE = {
    "moonshotai/Kimi-K2.5",
    "moonshotai/Kimi-K2.6",
    "nvidia/NVIDIA-Nemotron-3.5-Super-VL-120B-A12B-BF16",
}
"""Models whose processor is code of their repository, which tinker-cookbook runs without asking."""

CONSENT = "HF_TRUST_REMOTE_CODE"
"""The environment variable by which tinker-cookbook is told that such code is trusted."""


class ImageProcessorOnDemand:
    """A model's image processor, loaded when the first image is met.

    Args:
        tokenizer: The model's tokenizer, which says whose it is.
        renderer: The renderer's name, for errors.
    """

    def __init__(self, tokenizer: Any, renderer: str) -> None:
        self._tokenizer = tokenizer
        self._renderer = renderer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._loaded, name)

    @cached_property
    def _loaded(self) -> Any:
        from tinker_cookbook.image_processing_utils import get_image_processor

        model = str(getattr(self._tokenizer, "name_or_path", None) or "")
        if not model:
            raise self._error("its tokenizer does not say which model it is of", "name the model")
        if model.split(":")[0] in RUN_CODE and not _is_trusted():
            raise self._error(
                f"the image processor of {model} is code of its repository, which is not run",
                f"read that code, and set {CONSENT}=1 if you trust it",
            )
        try:
            processor = get_image_processor(model)
        except Exception as error:
            raise self._error(
                f"the image processor of {model} can't be loaded ({one_line(error)})",
                "use a model whose folder or repository has a preprocessor_config.json",
            ) from error
        return processor

    def _error(self, what: str, fix: str) -> RendererError:
        return RendererError(what, where=f"renderer {self._renderer}", fix=fix)


def _is_trusted() -> bool:
    return os.environ.get(CONSENT, "").lower() in ("1", "true", "yes")
