"""Proctor evaluates language models while they are being trained and after.

Everything public is here, and is imported when it is first used: ``import proctor`` itself loads
no heavy package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proctor.backends import (
        Backend as Backend,
        OpenedModel as OpenedModel,
        SamplingClient as SamplingClient,
        open_model as open_model,
    )
    from proctor.capped_client import CappedClient as CappedClient
    from proctor.chat_models import (
        ChatModel as ChatModel,
        RenderedChatModel as RenderedChatModel,
    )
    from proctor.cli import console as console
    from proctor.components import (
        Component as Component,
        ComponentKind as ComponentKind,
        PythonFile as PythonFile,
        fingerprint as fingerprint,
    )
    from proctor.config import load_config as load_config
    from proctor.context import EvaluationContext as EvaluationContext
    from proctor.datasets import Dataset as Dataset
    from proctor.errors import (
        BackendError as BackendError,
        ConfigError as ConfigError,
        DatasetError as DatasetError,
        PluginError as PluginError,
        ProctorError as ProctorError,
        RendererError as RendererError,
        RunError as RunError,
        TokenizerError as TokenizerError,
        TransientError as TransientError,
        UngradedError as UngradedError,
        UnknownComponentError as UnknownComponentError,
    )
    from proctor.estimates import Estimate as Estimate
    from proctor.evaluators import (
        GradedEvaluator as GradedEvaluator,
        SamplingClientEvaluator as SamplingClientEvaluator,
        TrainingClientEvaluator as TrainingClientEvaluator,
    )
    from proctor.gguf_tokenizer import tokenizer_from_gguf as tokenizer_from_gguf
    from proctor.graders import (
        Grader as Grader,
        GradeTally as GradeTally,
    )
    from proctor.grading import (
        GradedPair as GradedPair,
        grade_pairs as grade_pairs,
    )
    from proctor.hashing import (
        HashCounter as HashCounter,
        hash64 as hash64,
    )
    from proctor.hookspecs import hookimpl as hookimpl
    from proctor.inline import (
        InlineEvaluations as InlineEvaluations,
        evaluator_builders as evaluator_builders,
        infrequent_evaluator_builders as infrequent_evaluator_builders,
    )
    from proctor.intervals import wilson_interval as wilson_interval
    from proctor.ledger import (
        Ledger as Ledger,
        LedgerColumn as LedgerColumn,
    )
    from proctor.metrics import EvaluationResult as EvaluationResult
    from proctor.records import (
        grade_record as grade_record,
        sample_key as sample_key,
        sample_record as sample_record,
    )
    from proctor.runs import FinishedRun as FinishedRun
    from proctor.selection import select as select
    from proctor.tokenizers import get_tokenizer as get_tokenizer
    from proctor.types import (
        Call as Call,
        Example as Example,
        Grade as Grade,
        Message as Message,
        ModelIdentity as ModelIdentity,
        Outcome as Outcome,
        Sample as Sample,
        SamplingOptions as SamplingOptions,
        Termination as Termination,
        ToolCall as ToolCall,
        ToolSpec as ToolSpec,
        UnparsedToolCall as UnparsedToolCall,
        choice_letter as choice_letter,
        message_reasoning as message_reasoning,
        message_text as message_text,
    )

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
        "UngradedError",
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
    "proctor.cli": ("console",),
    "proctor.components": ("Component", "ComponentKind", "PythonFile", "fingerprint"),
    "proctor.graders": ("GradeTally", "Grader"),
    "proctor.grading": ("GradedPair", "grade_pairs"),
    "proctor.capped_client": ("CappedClient",),
    "proctor.chat_models": ("ChatModel", "RenderedChatModel"),
    "proctor.datasets": ("Dataset",),
    "proctor.backends": ("Backend", "OpenedModel", "SamplingClient", "open_model"),
    "proctor.hashing": ("HashCounter", "hash64"),
    "proctor.hookspecs": ("hookimpl",),
    "proctor.context": ("EvaluationContext",),
    "proctor.evaluators": ("GradedEvaluator", "SamplingClientEvaluator", "TrainingClientEvaluator"),
    "proctor.estimates": ("Estimate",),
    "proctor.inline": (
        "InlineEvaluations",
        "evaluator_builders",
        "infrequent_evaluator_builders",
    ),
    "proctor.intervals": ("wilson_interval",),
    "proctor.ledger": ("Ledger", "LedgerColumn"),
    "proctor.metrics": ("EvaluationResult",),
    "proctor.config": ("load_config",),
    "proctor.records": ("grade_record", "sample_key", "sample_record"),
    "proctor.runs": ("FinishedRun",),
    "proctor.selection": ("select",),
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
