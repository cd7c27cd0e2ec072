"""What a plugin's tests import: conformance checks, scripted clients, a folder for plugins.

Nothing is loaded before it is used, so that the pytest plugin costs a test run nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proctor.scoring.grades import GradedPair
    from proctor.testing.backend_checks import check_backend, check_sampling_client
    from proctor.testing.clients import Hang, Reply, ScriptedClient
    from proctor.testing.dataset_checks import check_dataset
    from proctor.testing.evaluator_checks import check_evaluator
    from proctor.testing.grader_checks import check_grader
    from proctor.testing.plugin_checks import check_plugin
    from proctor.testing.plugin_folder import PluginFolder
    from proctor.testing.renderer_checks import check_renderer
    from proctor.testing.samples import grade_answer, make_sample
    from proctor.testing.tokenizer import ByteTokenizer

_HOMES = {
    "proctor.scoring.grades": ("GradedPair",),
    "proctor.testing.backend_checks": ("check_backend", "check_sampling_client"),
    "proctor.testing.clients": ("Hang", "Reply", "ScriptedClient"),
    "proctor.testing.dataset_checks": ("check_dataset",),
    "proctor.testing.evaluator_checks": ("check_evaluator",),
    "proctor.testing.grader_checks": ("check_grader",),
    "proctor.testing.plugin_checks": ("check_plugin",),
    "proctor.testing.plugin_folder": ("PluginFolder",),
    "proctor.testing.renderer_checks": ("check_renderer",),
    "proctor.testing.samples": ("grade_answer", "make_sample"),
    "proctor.testing.tokenizer": ("ByteTokenizer",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ByteTokenizer",
    "GradedPair",
    "Hang",
    "PluginFolder",
    "Reply",
    "ScriptedClient",
    "check_backend",
    "check_dataset",
    "check_evaluator",
    "check_grader",
    "check_plugin",
    "check_renderer",
    "check_sampling_client",
    "grade_answer",
    "make_sample",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'proctor.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
