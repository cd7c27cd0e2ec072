"""Configs: one YAML file for inline and offline use, read into validated specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proctor.components.build import build, construct
from proctor.components.place import Place
from proctor.components.presets import COMPOSED, Preset, expand
from proctor.configs.config import GRADED_KEYS, Config, ConfigOptions, ConfiguredEvaluator
from proctor.configs.extra_graders import chosen_plugins, with_extra_graders
from proctor.configs.preset_files import load_plugin_files, read_presets
from proctor.configs.suites import Suite, unique_names
from proctor.configs.yaml_file import read_yaml
from proctor.errors import ConfigError
from proctor.evaluators.graded import GradedEvaluator
from proctor.plugins.active import plugin_manager
from proctor.plugins.plugin import Plugin
from proctor.scoring.metric_names import valid_name
from proctor.scoring.suite_results import check_scales


def load_config(source: Path | str | Mapping[str, Any], **overrides: Any) -> Config:
    """Reads a config and makes everything that it names.

    Args:
        source: A YAML file, or the same as a mapping.
        **overrides: Keys that replace the file's own.

    Raises:
        ConfigError: It can't be read, or something in it is wrong; the message says where.
        UnknownComponentError: It names something that no plugin registered.
    """
    if isinstance(source, Mapping):
        raw, place = dict(source), Place()
    else:
        raw, place = read_yaml(Path(source))
    raw.update({key: value for key, value in overrides.items() if value is not None})
    manager = plugin_manager()
    load_plugin_files(raw.get("plugins"), place / "plugins", manager)
    options: ConfigOptions = construct(ConfigOptions, raw, place, label="the config")
    _check_renderer(options.renderer, place / "renderer")
    backend = None
    if options.model is not None:
        backend = _build_backend(options.model, place / "model")
    config = Config(options, backend, [], place.file)
    composing = _Composing(
        read_presets(options.presets, place / "presets", manager),
        chosen_plugins(options.extra_graders, place / "extra_graders", manager),
    )
    for index, spec in enumerate(options.evaluators):
        _add_evaluator(config, spec, place / "evaluators" / index, composing)
    unique_names([*(entry.name for entry in config.evaluators), *config.suites])
    for suite, members in config.suites.items():
        graded = [
            (entry.name, entry.evaluator.graders[0].scale())
            for entry in config.evaluators
            if entry.name in members and isinstance(entry.evaluator, GradedEvaluator)
        ]
        if graded:
            check_scales(suite, graded)
    return config


def _check_renderer(name: str | None, place: Place) -> None:
    """Refuses an unknown renderer before a model is loaded."""
    if name is not None:
        plugin_manager().registry.find("renderer", name, str(place))


def _build_backend(spec: Any, place: Place) -> Any:
    """The backend of ``model:``, whose ``backend`` key stands for ``type``."""
    if isinstance(spec, str):
        return build("backend", spec, place)
    if not isinstance(spec, Mapping):
        return spec
    if "backend" not in spec:
        raise ConfigError("the model needs a backend", where=str(place), fix="add 'backend: NAME'")
    return build("backend", spec, place)


@dataclass(frozen=True, slots=True)
class _Composing:
    """What the evaluators of one config are composed with."""

    presets: Mapping[str, Preset]
    extra_graders: Sequence[Plugin]


def _add_evaluator(
    config: Config, spec: Any, place: Place, composing: _Composing, suite: str | None = None
) -> None:
    every, infrequent = None, False
    presets: tuple[str, ...] = ()
    if isinstance(spec, str):
        spec = {"type": spec}
    if isinstance(spec, Mapping):
        if "type" not in spec:
            if not any(key in spec for key in GRADED_KEYS):
                raise ConfigError(
                    "an evaluator needs a type, or a dataset and graders", where=str(place)
                )
            spec = {"type": COMPOSED, **spec}
        expanded = expand(spec, place, composing.presets)
        spec, place, presets = expanded.spec, expanded.place, expanded.presets
        every = spec.pop("every", None)
        if every is not None and (type(every) is not int or every < 1):
            raise ConfigError(
                f"'every' is a number of steps, from 1, not {every!r}", where=str(place / "every")
            )
        infrequent = spec.pop("infrequent", False)
        if type(infrequent) is not bool:
            raise ConfigError(
                f"'infrequent' is true or false, not {infrequent!r}",
                where=str(place / "infrequent"),
            )
    name = _evaluator_name(spec, place)
    evaluator = build("evaluator", spec, place)
    if isinstance(evaluator, Suite):
        if suite is not None:
            raise ConfigError("a suite can't hold a suite", where=str(place))
        before = len(config.evaluators)
        for index, member in enumerate(evaluator.evaluators):
            member_place = place / "evaluators" / index
            _add_evaluator(config, member, member_place, composing, suite=name)
        members = config.evaluators[before:]
        for member in members:
            member.every = member.every or every
            member.is_infrequent = member.is_infrequent or infrequent
        config.suites[name] = [member.name for member in members]
        return
    if isinstance(evaluator, GradedEvaluator):
        _check_renderer(evaluator.renderer, place / "renderer")
        evaluator = with_extra_graders(evaluator, name, spec, composing.extra_graders)
        evaluator.rename(name)
    elif not callable(evaluator):
        raise ConfigError(f"{name!r} is no evaluator: it can't be called", where=str(place))
    entry = ConfiguredEvaluator(name, evaluator, every, suite, presets, infrequent)
    config.evaluators.append(entry)


def _evaluator_name(spec: Any, place: Place) -> str:
    if not isinstance(spec, Mapping):
        own = getattr(spec, "__name__", type(spec).__name__)
        return str(getattr(spec, "metric_name", own))
    name = spec.get("name", spec["type"])
    if not isinstance(name, str):
        raise ConfigError(f"a name is text, not {name!r}", where=str(place / "name"))
    if "name" not in spec:
        name = name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    try:
        return valid_name(name)
    except ConfigError as error:
        raise ConfigError(error.what, where=str(place / "name"), fix=error.fix) from None
