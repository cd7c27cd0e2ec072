"""Proctor evaluates language models while they are being trained and after.

Everything public is here, and is imported when it is first used: ``import proctor`` itself loads
no heavy package.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "proctor.errors": (
        "BackendError",
        "ConfigError",
        "DatasetError",
        "PluginError",
        "ProctorError",
        "RendererError",
        "RunError",
        "TokenizerError",
        "TransientError",
        "UnknownComponentError",
    ),
    "proctor.types": (
        "Call",
        "Example",
        "Grade",
        "Message",
        "ModelIdentity",
        "Outcome",
        "Sample",
        "SamplingOptions",
        "Termination",
        "ToolCall",
        "ToolSpec",
        "UnparsedToolCall",
        "choice_letter",
        "message_reasoning",
        "message_text",
    ),
    "proctor.components": ("Component", "ComponentKind", "fingerprint"),
    "proctor.graders": ("Grader",),
    "proctor.datasets": ("Dataset",),
    "proctor.backends": ("Backend", "OpenedModel", "SamplingClient"),
    "proctor.hookspecs": ("hookimpl",),
    "proctor.context": ("EvaluationContext",),
    "proctor.evaluators": ("GradedEvaluator", "SamplingClientEvaluator", "TrainingClientEvaluator"),
    "proctor.metrics": ("EvaluationResult",),
    "proctor.config": ("load_config",),
    "proctor.tokenizers": ("get_tokenizer",),
    "proctor.gguf_tokenizer": ("tokenizer_from_gguf",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'proctor' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
