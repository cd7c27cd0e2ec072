"""What ``run.json`` says of a run: its resolved config, its model, the versions of its code."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform

from proctor.components.fingerprints import describe
from proctor.configs.config import Config
from proctor.evaluators.context import EvaluationContext
from proctor.plugins.manager import PluginManager
from proctor.types import ModelIdentity


def describe_identity(identity: ModelIdentity) -> dict[str, object]:
    """A model's identity as ``run.json`` has it."""
    return {
        "backend": identity.backend,
        "base_model": identity.base_model,
        "checkpoint": identity.checkpoint,
        "digest": identity.digest,
        "session": identity.session,
        "renderer_name": identity.renderer_name,
        "context_length": identity.context_length,
        "key": identity.key,
    }


def describe_run(
    config: Config, context: EvaluationContext, manager: PluginManager
) -> dict[str, object]:
    """What ``run.json`` says before the model is opened: the resolved config and the versions."""
    return {
        "status": "opening",
        "started": now(),
        "config_file": config.file.name if config.file else None,
        "config": {
            "model": describe(config.backend),
            "sampling": context.sampling.model_dump(mode="json"),
            "renderer": context.renderer,
            "evaluators": [
                {
                    "name": entry.name,
                    "suite": entry.suite,
                    "presets": list(entry.presets),
                    **described_evaluator(entry.evaluator),
                }
                for entry in config.evaluators
            ],
            "extra_graders": config.options.extra_graders,
            "seed": context.seed,
            "limit": context.limit,
            "min_coverage": context.min_coverage,
            "keep_images": config.options.keep_images,
            "concurrency": config.options.concurrency,
            "request_timeout": config.options.request_timeout,
            "timeout": config.options.timeout,
        },
        "versions": _versions(manager),
    }


def described_evaluator(evaluator: object) -> dict[str, object]:
    """An evaluator's type and options, whether it is a component or a plain class."""
    described = describe(evaluator)
    assert isinstance(described, dict)  # no evaluator is a list or a plain value
    options = getattr(evaluator, "_options", None)
    if options is not None and "options" not in described:
        described = {**described, "options": describe(options)}
    return dict(described)


def _versions(manager: PluginManager) -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("proctor", "tinker", "transformers", "torch", "numpy"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    versions.update(
        {p.distribution: p.version for p in manager.plugins if p.status in ("ok", "conflict")}
    )
    return versions


def now() -> str:
    """The time as ``run.json`` has it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
