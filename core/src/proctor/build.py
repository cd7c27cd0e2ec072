"""From specs to components: every option is validated before anything runs."""

from __future__ import annotations

import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    SecretBytes,
    SecretStr,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo

from proctor.components import (
    Component,
    ComponentKind,
    FileFirst,
    Origin,
    origin_of_code,
    origin_of_registered,
)
from proctor.errors import ConfigError, PluginError, ProctorError, UnknownComponentError
from proctor.graders import FunctionGrader, Grader
from proctor.registry import Registration, import_target, one_line


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: a file and the path of keys to it.

    Attributes:
        file: The config's file; None for values given in Python.
        keys: The keys and indices that lead to the value.
        lines: The line of each path of keys, counted from 1.
        elsewhere: The places of keys that come from somewhere else, such as a preset.
    """

    file: Path | None = None
    keys: tuple[str | int, ...] = ()
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    elsewhere: Mapping[str | int, Place] = field(default_factory=dict)

    def __truediv__(self, key: str | int) -> Place:
        return self.elsewhere.get(key) or Place(self.file, (*self.keys, key), self.lines)

    def over(self, other: Place, keys: Iterable[str | int]) -> Place:
        """This place, but with some keys that stand in another."""
        moved = {**self.elsewhere, **{key: other / key for key in keys}}
        return Place(self.file, self.keys, self.lines, moved)

    def anchored(self, path: str | Path) -> Path:
        """A path, relative ones read against the file's folder."""
        path = Path(path).expanduser()
        return path if path.is_absolute() or self.folder is None else self.folder / path

    def __str__(self) -> str:
        dotted = ""
        for key in self.keys:
            dotted += f"[{key}]" if isinstance(key, int) else f".{key}" if dotted else str(key)
        if self.file is None:
            return dotted
        keys = self.keys
        while keys and keys not in self.lines:
            keys = keys[:-1]
        line = f":{self.lines[keys]}" if keys in self.lines else ""
        return f"{self.file}{line}" + (f": {dotted}" if dotted else "")

    @property
    def folder(self) -> Path | None:
        """The folder against which relative paths are read; None where there is no file."""
        return self.file.parent if self.file else None


class NoOptions(BaseModel):
    """The options of a plain function: none."""

    model_config = ConfigDict(extra="forbid")


def build(kind: str, spec: Any, place: Place | None = None) -> Any:
    """Makes the component that a spec describes, with every component inside it.

    Args:
        kind: The kind of component that is wanted.
        spec: A name, a mapping with ``type`` and options, an import path (``module:Class``), a
            component, or, for a grader, a plain function.
        place: Where the spec stands, for errors.

    Raises:
        ConfigError: An option is unknown, missing or wrong.
        UnknownComponentError: No working plugin has the name.
    """
    place = place or Place()
    if isinstance(spec, Component) or (not isinstance(spec, (str, Mapping)) and kind != "grader"):
        return spec
    name_place = place
    if isinstance(spec, str):
        spec = {"type": spec}
    elif isinstance(spec, Mapping):
        name_place = place / "type"
        if kind == "backend" and "type" not in spec and "backend" in spec:
            # as 'model:' has it, which reads better where a model is meant
            spec = {"type": spec["backend"], **{k: v for k, v in spec.items() if k != "backend"}}
            name_place = place / "backend"
    if kind == "grader" and callable(spec):
        return FunctionGrader(spec)
    if not isinstance(spec, Mapping):
        raise ConfigError(f"{spec!r} is no {kind}", where=str(place), fix="write its name")
    name = spec.get("type")
    if not isinstance(name, str):
        raise ConfigError(
            f"a {kind} needs a type",
            where=str(place),
            fix=f"add 'type: NAME' ({kind}s: {_known(kind)})",
        )
    if kind == "evaluator":
        from proctor.presets import expand

        expanded = expand(spec, place)
        spec, place, name = expanded.spec, expanded.place, str(expanded.spec["type"])
    options = {str(key): value for key, value in spec.items() if key not in ("type", "name")}
    component_class, origin = _resolve(kind, name, name_place)
    label = name if ":" in name else name.rsplit("/", 1)[-1]
    return construct(component_class, options, place, origin, label=label)


def _known(kind: str) -> str:
    from proctor.plugins import plugin_manager

    return ", ".join(sorted({r.name for r in plugin_manager().registry.of_kind(kind)})) or "none"


def _resolve(kind: str, name: str, place: Place) -> tuple[Any, Origin]:
    """The class behind a name, and its origin."""
    from proctor.plugins import plugin_manager

    if ":" in name:
        try:
            target = import_target(_anchored(name, place))
        except Exception as error:
            raise UnknownComponentError(
                f"{kind} {name!r} can't be imported: {one_line(error)}", where=str(place)
            ) from error
        origin = origin_of_code(target)
        # a lone file is known by the name that the config has for it, wherever it stands
        return target, Origin(name, origin.source) if ":" in origin.type else origin
    registration: Registration = plugin_manager().registry.find(kind, name, str(place))
    try:
        target = registration.load()
    except PluginError as error:
        raise PluginError(error.what, where=f"{place} ({error.where})", fix=error.fix) from error
    return target, origin_of_registered(registration, target)


def _anchored(target: str, place: Place) -> str:
    """A text that begins with a Python file's path, read against the config's folder."""
    found = re.fullmatch(r"(.+\.py)([:@].*)?", target)
    if found and place.folder and not Path(found[1]).is_absolute():
        return f"{place.folder / found[1]}{found[2] or ''}"
    return target


def construct(
    component_class: Any,
    options: Mapping[str, Any],
    place: Place,
    origin: Origin | None = None,
    label: str = "",
) -> Any:
    """Calls a class, or a function, with validated options.

    Args:
        component_class: A pydantic model, or anything whose annotated parameters are its options.
        options: The options as they stand in the config.
        place: Where they stand.
        origin: What the component's fingerprint names.
        label: The component's name, for errors.

    Raises:
        ConfigError: An option is unknown, missing or wrong.
    """
    label = label or getattr(component_class, "__name__", str(component_class))
    if inspect.isclass(component_class) and issubclass(component_class, BaseModel):
        model: type[BaseModel] = component_class
    elif kindred_function(component_class):
        model = NoOptions
    else:
        model = signature_model(component_class)
    values = {
        name: _build_inner(model.model_fields[name], value, place / name)
        if name in model.model_fields
        else value
        for name, value in options.items()
    }
    try:
        validated = model.model_validate(values)
    except ValidationError as error:
        raise _as_config_error(error, model, place, label) from error
    if validated.__class__ is component_class:
        made: Any = validated
    elif kindred_function(component_class):
        made = FunctionGrader(component_class)
    else:
        made = _call(component_class, validated, place, label)
    if origin is not None:
        _mark(made, origin, label, validated)
    _check_scale(made, place)
    return made


def _mark(made: Any, origin: Origin, label: str, validated: BaseModel) -> None:
    """Has a component know where it comes from, and what the config called it."""
    if isinstance(made, Component):
        made._origin, made._given_name = origin, label
        return
    try:
        made._origin = origin
        made._options = validated
    except AttributeError:  # a class with __slots__ is known by its own path
        pass


def kindred_function(target: Any) -> bool:
    """Whether a target is a plain grader function ``(response, target)``."""
    if not inspect.isfunction(target):
        return False
    parameters = list(inspect.signature(target).parameters.values())
    return len(parameters) == 2 and [p.name for p in parameters] == ["response", "target"]


def _call(component_class: Any, validated: BaseModel, place: Place, label: str) -> Any:
    arguments = {name: getattr(validated, name) for name in type(validated).model_fields}
    try:
        return component_class(**arguments)
    except ProctorError:
        raise
    except Exception as error:
        raise ConfigError(f"{label} can't be made: {one_line(error)}", where=str(place)) from error


def _check_scale(made: Any, place: Place) -> None:
    if isinstance(made, Grader):
        worst, best = made.scale()
        if worst == best:
            raise ConfigError(
                f"{type(made).__name__}'s worst and best grade are both {best}", where=str(place)
            )


def signature_model(target: Any) -> type[BaseModel]:
    """A pydantic model of a callable's annotated parameters, for a plain class's options.

    Raises:
        ConfigError: A parameter has no annotation, so that nothing can validate it.
    """
    function = target.__init__ if inspect.isclass(target) else target
    if function is object.__init__:
        parameters: list[inspect.Parameter] = []
    else:
        parameters = list(inspect.signature(function).parameters.values())
        if inspect.isclass(target):
            parameters = parameters[1:]
    try:
        hints = typing.get_type_hints(function, include_extras=True) if parameters else {}
    except Exception:
        hints = {}
    fields: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints.get(parameter.name, Any), default)
    return create_model(
        getattr(target, "__name__", "Options"),
        __config__=ConfigDict(
            extra="forbid", arbitrary_types_allowed=True, protected_namespaces=()
        ),
        **fields,
    )


def _component_kind(info: FieldInfo) -> str | None:
    for mark in (*info.metadata, *_marks_within(info.annotation)):
        if isinstance(mark, ComponentKind):
            return mark.kind
    return None


def _marks_within(annotation: Any) -> Iterator[Any]:
    """The marks of the types that an annotation is made of."""
    for argument in typing.get_args(annotation):
        yield from getattr(argument, "__metadata__", ())
        yield from _marks_within(argument)


def _words(annotation: Any) -> list[Any]:
    """The literals that may stand where else a component does."""
    members = typing.get_args(annotation)
    literals = (typing.get_args(m) for m in members if typing.get_origin(m) is typing.Literal)
    return [word for words in literals for word in words]


def _build_inner(info: FieldInfo, value: Any, place: Place) -> Any:
    """Makes the components that stand in a field, and anchors its relative paths."""
    kind = _component_kind(info)
    if kind is not None:
        if value in _words(info.annotation):
            return value
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [build(kind, item, place / index) for index, item in enumerate(value)]
        return value if value is None else build(kind, value, place)
    nested = _nested_model(info.annotation)
    if nested is not None and isinstance(value, Mapping):
        return construct(nested, value, place, label=place.keys[-1] if place.keys else "")  # type: ignore[arg-type]
    if any(isinstance(m, FileFirst) for m in (*info.metadata, *_marks_within(info.annotation))):
        texts = value if isinstance(value, list) else [value]
        anchored = [_anchored(t, place) if isinstance(t, str) else t for t in texts]
        return anchored if isinstance(value, list) else anchored[0]
    if isinstance(value, str) and ":" in value and _is_callable(info.annotation):
        return _imported(value, place)
    if _holds_path(info.annotation):
        if isinstance(value, str):
            return place.anchored(value)
        if isinstance(value, list):
            return [place.anchored(v) if isinstance(v, str) else v for v in value]
    return value


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    for candidate in typing.get_args(annotation) if is_union else (annotation,):
        if inspect.isclass(candidate) and issubclass(candidate, BaseModel):
            return None if issubclass(candidate, Component) else candidate
    return None


def _is_callable(annotation: Any) -> bool:
    """Whether a field takes a function, which a config names by its import path."""
    members = (annotation, *typing.get_args(annotation))
    return any(m is Callable or typing.get_origin(m) is Callable for m in members)


def _imported(path: str, place: Place) -> Any:
    try:
        return import_target(_anchored(path, place))
    except Exception as error:
        raise ConfigError(
            f"{path!r} can't be imported: {one_line(error)}", where=str(place)
        ) from error


def _holds_path(annotation: Any) -> bool:
    if annotation is Path:
        return True
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        return any(_holds_path(argument) for argument in typing.get_args(annotation))
    return False


def _holds_secret(annotation: Any) -> bool:
    if inspect.isclass(annotation):
        return issubclass(annotation, (SecretStr, SecretBytes))
    return any(_holds_secret(argument) for argument in typing.get_args(annotation))


def _as_config_error(
    error: ValidationError, model: type[BaseModel], place: Place, label: str
) -> ConfigError:
    """The first of pydantic's complaints, as one line with its place."""
    problem = error.errors(include_url=False)[0]
    spot = place
    for key in problem["loc"]:
        if isinstance(key, int) or str(key).isidentifier():
            spot = spot / key
    last = str(problem["loc"][-1]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        known = list(model.model_fields)
        near = difflib.get_close_matches(last, known, n=1)
        listing = ", ".join(known) if known else "none"
        fix = f"did you mean {near[0]!r}?" if near else f"its options: {listing}"
        return ConfigError(f"{label} has no option {last!r}", where=str(spot), fix=fix)
    if problem["type"] == "missing":
        return ConfigError(f"{label} needs the option {last!r}", where=str(place))
    cause = problem.get("ctx", {}).get("error")
    message = str(cause) if isinstance(cause, Exception) else problem["msg"]
    field = model.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    is_secret = field is not None and _holds_secret(field.annotation)
    shows_input = isinstance(problem["input"], (str, int, float, bool, type(None)))
    if isinstance(cause, ProctorError) or is_secret or not shows_input:
        return ConfigError(message, where=str(spot))
    return ConfigError(f"{message}, not {problem['input']!r}", where=str(spot))
