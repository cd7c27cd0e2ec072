"""The hooks that a plugin may implement. They are synchronous, pure and cheap.

A plugin marks its functions with ``proctor.hookimpl``. Hooks grow by new arguments only, and a
plugin names just the arguments that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from proctor.plugins.hook_arguments import CalledEvaluator, ObservedResult, ObservedRun

if TYPE_CHECKING:
    from proctor.plugins.registrar import Registrar

hookspec = pluggy.HookspecMarker("proctor")
hookimpl = pluggy.HookimplMarker("proctor")


@hookspec
def proctor_register(registry: Registrar) -> None:
    """Names the plugin's components.

    For example ``registry.grader("substring", "proctor_text.substring:Substring")``; likewise
    ``evaluator``, ``dataset``, ``renderer``, ``backend`` and ``command``. The string is imported
    when the component is listed or used, so that a plugin costs nothing until then. A plugin in a
    single file passes the class itself.

    ``registry.evaluator`` also takes a preset: the mapping of an evaluator as a config writes it.
    Its relative paths are read against the plugin's own folder.
    """


@hookspec
def proctor_extra_graders(evaluator_spec: Mapping[str, object]) -> Sequence[object] | None:
    """Returns specs of graders to add to an evaluator, as a config writes them; None for none.

    It is called for each graded evaluator of a config whose ``extra_graders`` names the plugin,
    when that config is resolved: fingerprints and ``run.json`` show what was added, after the
    evaluator's own graders. ``evaluator_spec`` is the evaluator's mapping with its ``name``, and
    with the options of the preset that it is built on.
    """


@hookspec
def proctor_adapt_evaluator(evaluator: CalledEvaluator) -> CalledEvaluator | None:
    """Returns a wrapped evaluator for the training loop at hand, or None to leave it alone."""


@hookspec
def proctor_load_tokenizer(model: str) -> object | None:
    """Returns the tokenizer of a model that transformers has none for, or None for any other.

    ``model`` is a model's name, a folder or a file. A tokenizer has ``encode(text,
    add_special_tokens=False)``, ``decode(tokens)`` and, where the model has them, ``eos_token`` and
    ``eos_token_id``. The first plugin that returns one is taken.
    """


@hookspec
def proctor_run_started(run: ObservedRun) -> None:
    """A run began, offline or at one step of training.

    ``run`` has its ``folder``, its ``record`` (what ``run.json`` holds) and its ``step``.
    """


@hookspec
def proctor_sample_finished(record: Mapping[str, object], run: ObservedRun) -> None:
    """A sample arrived: ``record`` is its line of ``samples.jsonl``."""


@hookspec
def proctor_evaluation_finished(result: ObservedResult, run: ObservedRun) -> None:
    """An evaluator finished: ``result`` is its ``EvaluationResult``."""


@hookspec
def proctor_run_finished(run: ObservedRun) -> None:
    """A run that was started ended, whatever ended it.

    ``run.record["status"]`` is ``complete``, ``failed`` or ``interrupted``.
    """
