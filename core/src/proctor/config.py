"""Configs: one YAML file for inline and offline use, read into validated specs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from proctor.build import Place, build, construct
from proctor.context import MIN_COVERAGE
from proctor.errors import ConfigError
from proctor.evaluators import GradedEvaluator, Suite, unique_names
from proctor.metrics import valid_name
from proctor.plugins import PluginManager, plugin_manager
from proctor.sampling import DEFAULT_CONCURRENCY, DEFAULT_REQUEST_TIMEOUT
from proctor.types import SamplingOptions

GRADED_KEYS = ("dataset", "graders")
"""A mapping without a type that has one of these is a graded evaluator."""


class InlineOptions(BaseModel):
    """When to evaluate inside a training loop."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    eval_every: int = Field(default=0, ge=0)
    """Steps between two evaluations; 0 for none."""
    infrequent_eval_every: int = Field(default=0, ge=0)
    """Steps between two evaluations by the infrequent evaluators; 0 for none."""


class ConfigOptions(BaseModel):
    """The keys of a config."""

    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )

    model: Any = None
    """The backend and its options: which model to sample."""
    sampling: SamplingOptions = Field(default_factory=SamplingOptions)
    """How the model samples."""
    renderer: str | None = None
    """The renderer's name; without it, the model's own."""
    evaluators: list[Any] = Field(min_length=1)
    """What to evaluate: names of evaluators, or mappings that compose one."""
    inline: InlineOptions = Field(default_factory=InlineOptions)
    """When to evaluate inside a training loop."""
    plugins: list[Path] = Field(default_factory=list)
    """Single-file plugins, beside those that are installed."""
    seed: int = 0
    """Steers the subset, the shots, the order of choices and the sampler."""
    min_coverage: float = Field(default=MIN_COVERAGE, ge=0.0, le=1.0)
    """The share of answers that must have a grade for there to be a score."""
    concurrency: int = Field(default=DEFAULT_CONCURRENCY, ge=1)
    """Most requests at once."""
    request_timeout: float = Field(default=DEFAULT_REQUEST_TIMEOUT, gt=0)
    """Seconds for one request, the client's own queueing included."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for the whole run; what was not sent by then counts as failed."""


@dataclass(slots=True)
class ConfiguredEvaluator:
    """An evaluator of a config.

    Attributes:
        name: What its metrics' names begin with.
        evaluator: The evaluator.
        every: Steps between two evaluations, inline; None for the config's own schedule.
        suite: The suite that it is a member of.
    """

    name: str
    evaluator: Any
    every: int | None = None
    suite: str | None = None


@dataclass(slots=True)
class Config:
    """A config whose every name was found and whose every option is valid.

    Attributes:
        options: The plain keys.
        backend: The backend; None where the config is for inline use only.
        evaluators: The evaluators, members of suites among them.
        file: Where it was read from.
    """

    options: ConfigOptions
    backend: Any
    evaluators: list[ConfiguredEvaluator]
    file: Path | None = None
    suites: dict[str, list[str]] = field(default_factory=dict)


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
    for index, file in enumerate(_as_list(raw.get("plugins"), place / "plugins")):
        path = Path(file).expanduser()
        anchored = path if path.is_absolute() or not place.folder else place.folder / path
        if not anchored.is_file():
            raise ConfigError(f"no plugin file {anchored}", where=str(place / "plugins" / index))
        manager.load_file(anchored)
    options: ConfigOptions = construct(ConfigOptions, raw, place, label="the config")
    backend = None
    if options.model is not None:
        backend = _build_backend(options.model, place / "model")
    config = Config(options, backend, [], place.file)
    for index, spec in enumerate(options.evaluators):
        _add_evaluator(config, spec, place / "evaluators" / index, manager)
    unique_names([*(entry.name for entry in config.evaluators), *config.suites])
    return config


def _as_list(value: Any, place: Place) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError("expected a list", where=str(place))
    return value


def _build_backend(spec: Any, place: Place) -> Any:
    """The backend of ``model:``, whose ``backend`` key stands for ``type``."""
    if isinstance(spec, str):
        return build("backend", spec, place)
    if not isinstance(spec, Mapping):
        return spec
    if "backend" not in spec:
        raise ConfigError("the model needs a backend", where=str(place), fix="add 'backend: NAME'")
    options = {key: value for key, value in spec.items() if key != "backend"}
    return build("backend", {"type": spec["backend"], **options}, place)


def _add_evaluator(
    config: Config, spec: Any, place: Place, manager: PluginManager, suite: str | None = None
) -> None:
    every = None
    if isinstance(spec, str):
        spec = {"type": spec}
    if isinstance(spec, Mapping):
        spec = dict(spec)
        if "type" not in spec:
            if not any(key in spec for key in GRADED_KEYS):
                raise ConfigError(
                    "an evaluator needs a type, or a dataset and graders", where=str(place)
                )
            spec["type"] = "graded"
        every = spec.pop("every", None)
        if every is not None and (not isinstance(every, int) or every < 1):
            raise ConfigError(
                f"'every' is a number of steps, from 1, not {every!r}", where=str(place / "every")
            )
    name = _evaluator_name(spec, place)
    extra = manager.extra_graders(spec) if isinstance(spec, Mapping) else []
    if extra and isinstance(spec, dict) and isinstance(spec.get("graders"), list):
        spec["graders"] = [*spec["graders"], *extra]
    evaluator = build("evaluator", spec, place)
    if isinstance(evaluator, Suite):
        if suite is not None:
            raise ConfigError("a suite can't hold a suite", where=str(place))
        before = len(config.evaluators)
        for index, member in enumerate(evaluator.evaluators):
            _add_evaluator(config, member, place / "evaluators" / index, manager, suite=name)
        config.suites[name] = [entry.name for entry in config.evaluators[before:]]
        return
    if isinstance(evaluator, GradedEvaluator):
        evaluator._label = name
    elif not callable(evaluator):
        raise ConfigError(f"{name!r} is no evaluator: it can't be called", where=str(place))
    config.evaluators.append(ConfiguredEvaluator(name, evaluator, every, suite))


def _evaluator_name(spec: Any, place: Place) -> str:
    if not isinstance(spec, Mapping):
        return str(getattr(spec, "metric_name", type(spec).__name__))
    name = spec.get("name", spec["type"])
    if not isinstance(name, str):
        raise ConfigError(f"a name is text, not {name!r}", where=str(place / "name"))
    if "name" not in spec:
        name = name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    try:
        return valid_name(name)
    except ConfigError as error:
        raise ConfigError(error.what, where=str(place / "name"), fix=error.fix) from None


def read_yaml(file: Path) -> tuple[dict[str, Any], Place]:
    """Reads a YAML file with the line of each of its keys.

    Raises:
        ConfigError: It can't be read, is no YAML (line and column), or holds a key twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"no config file {file}", fix="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't read {file}: {error}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigError(f"no YAML: {error.problem or error.context}", where=where) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"no YAML: {error}", where=str(file)) from None
    if not isinstance(raw, dict) or not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            "a config is a mapping", where=str(file), fix="start with 'model:' and 'evaluators:'"
        )
    lines: dict[tuple[str | int, ...], int] = {}
    _note_lines(node, (), lines, file)
    return raw, Place(file, (), lines)


def _note_lines(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    file: Path,
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            key = str(key_node.value)
            if (*path, key) in lines:
                raise ConfigError(
                    f"the key {key!r} stands twice", where=f"{file}:{key_node.start_mark.line + 1}"
                )
            lines[(*path, key)] = key_node.start_mark.line + 1
            _note_lines(value, (*path, key), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines, file)
