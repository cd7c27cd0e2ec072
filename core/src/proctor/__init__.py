"""Proctor evaluates language models while they are being trained and after.

Everything public is here, and is imported when it is first used: ``import proctor`` itself loads
no heavy package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proctor.cli.main import console as console
    from proctor.components.component import (
        Component as Component,
        ComponentKind as ComponentKind,
        PythonFile as PythonFile,
        python_file_in as python_file_in,
    )
    from proctor.components.fingerprints import fingerprint as fingerprint
    from proctor.components.written import (
        BooleanText as BooleanText,
        as_written as as_written,
    )
    from proctor.configs.loading import load_config as load_config
    from proctor.datasets.dataset import Dataset as Dataset
    from proctor.datasets.selection import select as select
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
        is_transient_status as is_transient_status,
        one_line as one_line,
    )
    from proctor.evaluators.bases import (
        SamplingClientEvaluator as SamplingClientEvaluator,
        TrainingClientEvaluator as TrainingClientEvaluator,
    )
    from proctor.evaluators.capped_client import CappedClient as CappedClient
    from proctor.evaluators.context import EvaluationContext as EvaluationContext
    from proctor.evaluators.dataset_evaluator import ComponentEvaluator as ComponentEvaluator
    from proctor.evaluators.dataset_run import DatasetRun as DatasetRun
    from proctor.evaluators.graded import GradedEvaluator as GradedEvaluator
    from proctor.evaluators.records import (
        grade_record as grade_record,
        sample_key as sample_key,
        sample_record as sample_record,
    )
    from proctor.grading.grader import Grader as Grader
    from proctor.grading.stage import grade_pairs as grade_pairs
    from proctor.hashing import (
        HashCounter as HashCounter,
        hash64 as hash64,
    )
    from proctor.images import Image as Image, read_image as read_image
    from proctor.inline import (
        InlineEvaluations as InlineEvaluations,
        evaluator_builders as evaluator_builders,
        infrequent_evaluator_builders as infrequent_evaluator_builders,
    )
    from proctor.plugins.hook_arguments import ObservedRun as ObservedRun
    from proctor.plugins.hookspecs import hookimpl as hookimpl
    from proctor.redaction import (
        keep_secret as keep_secret,
        without_credentials as without_credentials,
    )
    from proctor.renderers.gguf_tokenizer import tokenizer_from_gguf as tokenizer_from_gguf
    from proctor.renderers.tokenizers import get_tokenizer as get_tokenizer
    from proctor.runs.finished import FinishedRun as FinishedRun
    from proctor.sampling.backends import Backend as Backend, open_model as open_model
    from proctor.sampling.models import (
        ChatModel as ChatModel,
        OpenedModel as OpenedModel,
        SamplingClient as SamplingClient,
    )
    from proctor.sampling.parameters import as_seed as as_seed, sample_seeds as sample_seeds
    from proctor.sampling.rendered_chat_model import RenderedChatModel as RenderedChatModel
    from proctor.sampling.rendered_model import RenderedModel as RenderedModel
    from proctor.sampling.requests import retry_delay as retry_delay
    from proctor.scoring.estimates import Estimate as Estimate
    from proctor.scoring.grades import GradedPair as GradedPair, GradeTally as GradeTally
    from proctor.scoring.intervals import wilson_interval as wilson_interval
    from proctor.scoring.ledger import Ledger as Ledger, LedgerColumn as LedgerColumn
    from proctor.scoring.results import EvaluationResult as EvaluationResult
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
        text_with_images as text_with_images,
    )
    from proctor.version import __version__ as __version__

_HOMES = {
    "proctor.sampling.rendered_model": ("RenderedModel",),
    "proctor.sampling.parameters": (
        "as_seed",
        "sample_seeds",
    ),
    "proctor.plugins.hook_arguments": ("ObservedRun",),
    "proctor.evaluators.dataset_evaluator": ("ComponentEvaluator",),
    "proctor.evaluators.dataset_run": ("DatasetRun",),
    "proctor.cli.main": ("console",),
    "proctor.components.component": (
        "Component",
        "ComponentKind",
        "PythonFile",
        "python_file_in",
    ),
    "proctor.components.fingerprints": ("fingerprint",),
    "proctor.components.written": (
        "BooleanText",
        "as_written",
    ),
    "proctor.configs.loading": ("load_config",),
    "proctor.datasets.dataset": ("Dataset",),
    "proctor.datasets.selection": ("select",),
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
        "is_transient_status",
        "one_line",
    ),
    "proctor.evaluators.bases": (
        "SamplingClientEvaluator",
        "TrainingClientEvaluator",
    ),
    "proctor.evaluators.capped_client": ("CappedClient",),
    "proctor.evaluators.context": ("EvaluationContext",),
    "proctor.evaluators.graded": ("GradedEvaluator",),
    "proctor.evaluators.records": (
        "grade_record",
        "sample_key",
        "sample_record",
    ),
    "proctor.grading.grader": ("Grader",),
    "proctor.grading.stage": ("grade_pairs",),
    "proctor.hashing": (
        "HashCounter",
        "hash64",
    ),
    "proctor.images": (
        "Image",
        "read_image",
    ),
    "proctor.inline": (
        "InlineEvaluations",
        "evaluator_builders",
        "infrequent_evaluator_builders",
    ),
    "proctor.plugins.hookspecs": ("hookimpl",),
    "proctor.redaction": (
        "keep_secret",
        "without_credentials",
    ),
    "proctor.renderers.gguf_tokenizer": ("tokenizer_from_gguf",),
    "proctor.renderers.tokenizers": ("get_tokenizer",),
    "proctor.runs.finished": ("FinishedRun",),
    "proctor.sampling.backends": (
        "Backend",
        "open_model",
    ),
    "proctor.sampling.models": (
        "ChatModel",
        "OpenedModel",
        "SamplingClient",
    ),
    "proctor.sampling.requests": ("retry_delay",),
    "proctor.sampling.rendered_chat_model": ("RenderedChatModel",),
    "proctor.scoring.estimates": ("Estimate",),
    "proctor.scoring.grades": (
        "GradeTally",
        "GradedPair",
    ),
    "proctor.scoring.intervals": ("wilson_interval",),
    "proctor.scoring.ledger": (
        "Ledger",
        "LedgerColumn",
    ),
    "proctor.scoring.results": ("EvaluationResult",),
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
        "text_with_images",
    ),
    "proctor.version": ("__version__",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'proctor' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
