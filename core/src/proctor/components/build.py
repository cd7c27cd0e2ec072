"""From specs to components: every option is validated before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from proctor.components.component import Code, Component, FileFirst, Origin, python_file_in
from proctor.components.fingerprints import origin_of_code, origin_of_registered
from proctor.components.options import (
    as_config_error,
    component_kind,
    holds_path,
    is_grader_function,
    literal_words,
    marks_within,
    nested_model,
    options_model,
    takes_function,
)
from proctor.components.place import Place, Written
from proctor.components.readings import check_readings
from proctor.errors import ConfigError, PluginError, ProctorError, UnknownComponentError, one_line
from proctor.plugins.core_names import FUNCTION_GRADER
from proctor.plugins.importing import import_target
from proctor.plugins.plugin import Registration

Made: TypeAlias = Any  # what the class or the function of a plugin or a person made of a spec


def build(kind: str, spec: Written, place: Place | None = None) -> Made:
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
        return import_target(FUNCTION_GRADER)(spec)
    if not isinstance(spec, Mapping):
        raise ConfigError(f"{spec!r} is no {kind}", where=str(place), fix="write its name")
    if kind == "evaluator" and isinstance(spec.get("type"), str):
        from proctor.components.presets import expand

        expanded = expand(spec, place)
        spec, place = expanded.spec, expanded.place
    return build_expanded(kind, spec, place, name_place)


def build_expanded(
    kind: str, spec: Mapping[str, Written], place: Place, name_place: Place | None = None
) -> Made:
    """Makes the component of a mapping in which no preset is left.

    Args:
        kind: The kind of component that is wanted.
        spec: Its mapping, with ``type`` and options.
        place: Where the options stand.
        name_place: Where the type stands, if that is elsewhere.

    Raises:
        ConfigError: An option is unknown, missing or wrong.
        UnknownComponentError: No working plugin has the name.
    """
    name = spec.get("type")
    if not isinstance(name, str):
        raise ConfigError(
            f"a {kind} needs a type",
            where=str(place),
            fix=f"add 'type: NAME' ({kind}s: {_known(kind)})",
        )
    name_place = name_place or place / "type"
    options = {str(key): value for key, value in spec.items() if key not in ("type", "name")}
    component_class, origin = _resolve(kind, name, name_place)
    label = name if ":" in name else name.rsplit("/", 1)[-1]
    return construct(component_class, options, place, origin, label=label)


def _known(kind: str) -> str:
    from proctor.plugins.active import plugin_manager

    return ", ".join(sorted({r.name for r in plugin_manager().registry.of_kind(kind)})) or "none"


def _resolve(kind: str, name: str, place: Place) -> tuple[Code, Origin]:
    """The class behind a name, and its origin."""
    from proctor.plugins.active import plugin_manager

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
    return python_file_in(place.folder, target) if place.folder else target


def construct(
    component_class: Code,
    options: Mapping[str, Written],
    place: Place,
    origin: Origin | None = None,
    label: str = "",
) -> Made:
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
    model = options_model(component_class)
    values = {
        name: _build_inner(model.model_fields[name], value, place / name)
        if name in model.model_fields
        else value
        for name, value in options.items()
    }
    try:
        validated = model.model_validate(values)
    except ValidationError as error:
        raise as_config_error(error, model, place, label) from error
    check_readings(values, validated, place)
    if validated.__class__ is component_class:
        made: Made = validated
    elif is_grader_function(component_class):
        made = import_target(FUNCTION_GRADER)(component_class)
    else:
        made = _call(component_class, validated, place, label)
    if origin is not None:
        _mark(made, origin, label, validated)
    if isinstance(made, Component):
        try:
            made.check_options()
        except ConfigError as error:
            raise ConfigError(error.what, where=str(place), fix=error.fix) from error
    return made


def _mark(made: Made, origin: Origin, label: str, validated: BaseModel) -> None:
    """Has a component know where it comes from, and what the config called it."""
    if isinstance(made, Component):
        made._origin, made._given_name = origin, label
        return
    try:
        made._origin = origin
        made._options = validated
    except AttributeError:  # a class with __slots__ is known by its own path
        pass


def _call(component_class: Code, validated: BaseModel, place: Place, label: str) -> Made:
    arguments = {name: getattr(validated, name) for name in type(validated).model_fields}
    try:
        return component_class(**arguments)
    except ProctorError:
        raise
    except Exception as error:
        raise ConfigError(f"{label} can't be made: {one_line(error)}", where=str(place)) from error


def _build_inner(info: FieldInfo, value: Written, place: Place) -> Made:
    """Makes the components that stand in a field, and anchors its relative paths."""
    kind = component_kind(info)
    if kind is not None:
        if value in literal_words(info.annotation):
            return value
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [build(kind, item, place / index) for index, item in enumerate(value)]
        return value if value is None else build(kind, value, place)
    nested = nested_model(info.annotation)
    if nested is not None and isinstance(value, Mapping):
        return construct(nested, value, place, label=place.keys[-1] if place.keys else "")  # type: ignore[arg-type]
    if any(isinstance(m, FileFirst) for m in (*info.metadata, *marks_within(info.annotation))):
        texts = value if isinstance(value, list) else [value]
        anchored = [_anchored(t, place) if isinstance(t, str) else t for t in texts]
        return anchored if isinstance(value, list) else anchored[0]
    if isinstance(value, str) and ":" in value and takes_function(info.annotation):
        return _imported(value, place)
    if holds_path(info.annotation):
        if isinstance(value, str):
            return place.anchored(value)
        if isinstance(value, list):
            return [place.anchored(v) if isinstance(v, str) else v for v in value]
    return value


def _imported(path: str, place: Place) -> Code:
    try:
        return import_target(_anchored(path, place))
    except Exception as error:
        raise ConfigError(
            f"{path!r} can't be imported: {one_line(error)}", where=str(place)
        ) from error
