"""Configs: one YAML file for inline and offline use, read into validated specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from proctor.components.build import Made, build, build_expanded, construct
from proctor.components.place import Place, Written
from proctor.components.presets import COMPOSED, Preset, expand
from proctor.configs.config import GRADED_KEYS, Config, ConfigOptions, ConfiguredEvaluator
from proctor.configs.extra_graders import chosen_plugins, with_extra_graders
from proctor.configs.preset_files import load_plugin_files, read_presets
from proctor.configs.suites import Suite, unique_names
from proctor.configs.yaml_file import YamlFile, read_yaml
from proctor.errors import ConfigError
from proctor.evaluators.dataset_evaluator import ComponentEvaluator, DatasetEvaluator
from proctor.evaluators.graded import GradedEvaluator
from proctor.plugins.active import plugin_manager
from proctor.plugins.plugin import Plugin
from proctor.renderers.by_name import check_renderer_name
from proctor.scoring.metric_names import valid_name
from proctor.scoring.suite_results import check_scales


def load_config(
    source: Path | str | YamlFile | Mapping[str, Written], **overrides: Written
) -> Config:
    """Reads a config and makes everything that it names.

    Args:
        source: A YAML file, one that was read, or the same as a mapping.
        **overrides: Keys that replace the file's own.

    Raises:
        ConfigError: It can't be read, or something in it is wrong; the message says where.
        UnknownComponentError: It names something that no plugin registered.
    """
    if isinstance(source, Mapping):
        raw, place = dict(source), Place()
    else:
        file = source if isinstance(source, YamlFile) else read_yaml(Path(source))
        raw, place = deepcopy(dict(file.content)), file.place
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
        known = [
            (entry.name, scale)
            for entry in config.evaluators
            if entry.name in members and isinstance(entry.evaluator, ComponentEvaluator)
            if (scale := entry.evaluator.score_scale) is not None
        ]
        if known:
            check_scales(suite, known)
    return config


def _check_renderer(name: str | None, place: Place) -> None:
    """Refuses an unknown renderer before a model is loaded."""
    if name is not None:
        check_renderer_name(name, str(place))


def _build_backend(spec: Written, place: Place) -> Made:
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


@dataclass(frozen=True, slots=True)
class _Written:
    """An evaluator as a config writes it, without the keys that are not the evaluator's own.

    Attributes:
        spec: Its mapping, in which no preset is left, or what Python code made.
        place: Where each of its options stands.
        presets: The presets that it was built on, the outermost first.
        every: Steps between two evaluations; None for the config's own.
        is_infrequent: Whether it is for the few evaluations that may take long.
    """

    spec: Written
    place: Place
    presets: tuple[str, ...] = ()
    every: int | None = None
    is_infrequent: bool = False

    def build(self) -> Made:
        """The evaluator."""
        if not isinstance(self.spec, Mapping):
            return build("evaluator", self.spec, self.place)
        return build_expanded("evaluator", self.spec, self.place)


def _written(spec: Written, place: Place, presets: Mapping[str, Preset]) -> _Written:
    if isinstance(spec, str):
        spec = {"type": spec}
    if not isinstance(spec, Mapping):
        return _Written(spec, place)
    if "type" not in spec:
        if not any(key in spec for key in GRADED_KEYS):
            raise ConfigError(
                "an evaluator needs a type, or a dataset and graders", where=str(place)
            )
        spec = {"type": COMPOSED, **spec}
    expanded = expand(spec, place, presets)
    own, place = expanded.spec, expanded.place
    every = own.pop("every", None)
    if every is not None and (type(every) is not int or every < 1):
        raise ConfigError(
            f"'every' is a number of steps, from 1, not {every!r}", where=str(place / "every")
        )
    infrequent = own.pop("infrequent", False)
    if type(infrequent) is not bool:
        raise ConfigError(
            f"'infrequent' is true or false, not {infrequent!r}", where=str(place / "infrequent")
        )
    return _Written(own, place, expanded.presets, every, infrequent)


def _add_evaluator(
    config: Config, spec: Written, place: Place, composing: _Composing, suite: str | None = None
) -> None:
    written = _written(spec, place, composing.presets)
    name = _evaluator_name(written.spec, written.place)
    evaluator = written.build()
    if isinstance(evaluator, Suite):
        if suite is not None:
            raise ConfigError("a suite can't hold a suite", where=str(written.place))
        _add_suite(config, name, evaluator, written, composing)
        return
    if isinstance(evaluator, DatasetEvaluator):
        _check_renderer(evaluator.renderer, written.place / "renderer")
    if isinstance(evaluator, GradedEvaluator):
        evaluator = with_extra_graders(evaluator, name, written.spec, composing.extra_graders)
    if isinstance(evaluator, ComponentEvaluator):
        evaluator.rename(name)
    elif not callable(evaluator):
        raise ConfigError(f"{name!r} is no evaluator: it can't be called", where=str(written.place))
    config.evaluators.append(
        ConfiguredEvaluator(
            name, evaluator, written.every, suite, written.presets, written.is_infrequent
        )
    )


def _add_suite(
    config: Config, name: str, suite: Suite, written: _Written, composing: _Composing
) -> None:
    """Adds a suite's members, which take from it when they are evaluated."""
    before = len(config.evaluators)
    for index, member in enumerate(suite.evaluators):
        place = written.place / "evaluators" / index
        _add_evaluator(config, member, place, composing, suite=name)
    members = config.evaluators[before:]
    for entry in members:
        entry.every = entry.every or written.every
        entry.is_infrequent = entry.is_infrequent or written.is_infrequent
    config.suites[name] = [entry.name for entry in members]


def _evaluator_name(spec: Written, place: Place) -> str:
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
