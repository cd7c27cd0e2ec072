"""A component's options, read off its annotations: for building and for the schema."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo

from proctor.components.component import Code, Component, ComponentKind
from proctor.components.place import Place
from proctor.errors import ConfigError, ProctorError


def holds_component(annotation: object) -> bool:
    """Whether a component stands somewhere in a type, also in the fields of a model in it."""
    if isinstance(annotation, ComponentKind):
        return True
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        fields = {} if issubclass(annotation, Component) else annotation.model_fields
        return any(_marks_component(info) for info in fields.values())
    marks = getattr(annotation, "__metadata__", ())
    return any(map(holds_component, (*typing.get_args(annotation), *marks)))


def _marks_component(info: FieldInfo) -> bool:
    return any(map(holds_component, (info.annotation, *info.metadata)))


def options_model(target: Code) -> type[BaseModel]:
    """The model of the options of a class, or of a function.

    Raises:
        ConfigError: Nothing can say what they are.
    """
    if inspect.isclass(target) and issubclass(target, BaseModel):
        return target
    return NoOptions if is_grader_function(target) else signature_model(target)


class NoOptions(BaseModel):
    """The options of a plain function: none."""

    model_config = ConfigDict(extra="forbid")


def is_grader_function(target: Code) -> bool:
    """Whether a target is a plain grader function ``(response, target)``."""
    if not inspect.isfunction(target):
        return False
    parameters = list(inspect.signature(target).parameters.values())
    return len(parameters) == 2 and [p.name for p in parameters] == ["response", "target"]


def signature_model(target: Code) -> type[BaseModel]:
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
    fields: dict[str, Any] = {}  # the annotations and defaults of a plugin's or a person's code
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        hint = hints.get(parameter.name, Any)  # a person's code says nothing: pydantic takes all
        fields[parameter.name] = (hint, default)
    return create_model(
        getattr(target, "__name__", "Options"),
        __config__=ConfigDict(
            extra="forbid", arbitrary_types_allowed=True, protected_namespaces=()
        ),
        **fields,
    )


def component_kind(info: FieldInfo) -> str | None:
    """The kind of component that a field takes; None for a plain value."""
    for mark in (*info.metadata, *marks_within(info.annotation)):
        if isinstance(mark, ComponentKind):
            return mark.kind
    return None


def marks_within(annotation: object) -> Iterator[object]:
    """The marks of the types that an annotation is made of."""
    for argument in typing.get_args(annotation):
        yield from getattr(argument, "__metadata__", ())
        yield from marks_within(argument)


def literal_words(annotation: object) -> list[object]:
    """The literals that may stand where else a component does."""
    members = typing.get_args(annotation)
    literals = (typing.get_args(m) for m in members if typing.get_origin(m) is typing.Literal)
    return [word for words in literals for word in words]


def nested_model(annotation: object) -> type[BaseModel] | None:
    """The model, and no component, whose mapping may stand in a field; None where none may."""
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    for candidate in typing.get_args(annotation) if is_union else (annotation,):
        if inspect.isclass(candidate) and issubclass(candidate, BaseModel):
            return None if issubclass(candidate, Component) else candidate
    return None


def takes_function(annotation: object) -> bool:
    """Whether a field takes a function, which a config names by its import path."""
    members = (annotation, *typing.get_args(annotation))
    return any(m is Callable or typing.get_origin(m) is Callable for m in members)


def holds_path(annotation: object) -> bool:
    """Whether a field takes a path, which is read against the config's folder."""
    if annotation is Path:
        return True
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        return any(holds_path(argument) for argument in typing.get_args(annotation))
    return False


def _holds_secret(annotation: object) -> bool:
    if inspect.isclass(annotation):
        return issubclass(annotation, (SecretStr, SecretBytes))
    return any(_holds_secret(argument) for argument in typing.get_args(annotation))


def as_config_error(
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
    wants_text = problem["type"] == "string_type" and problem["input"] is not None
    return ConfigError(
        f"{message}, not {problem['input']!r}",
        where=str(spot),
        fix="put it in quotes" if wants_text else None,
    )
