"""The JSON schema of a config: every name that is installed, with its options and their help."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.fields import FieldInfo

from proctor.components.component import Code, ComponentKind, summary
from proctor.components.options import holds_component, options_model
from proctor.components.place import Place
from proctor.components.presets import Preset, expand
from proctor.configs.config import GRADED_KEYS, ConfigOptions
from proctor.configs.extra_graders import HOOK
from proctor.configs.suites import Suite
from proctor.errors import ProctorError
from proctor.evaluators.graded import GradedEvaluator
from proctor.plugins.active import plugin_manager
from proctor.plugins.plugin import Registration

JsonSchema: TypeAlias = dict[str, Any]  # pydantic's, of what a plugin or a person wrote

DIALECT = "https://json-schema.org/draft/2020-12/schema"

COMPONENT_KINDS = ("evaluator", "grader", "dataset", "backend")

IMPORT_PATH: JsonSchema = {
    "type": "string",
    "pattern": r"^[^\s:]+:[A-Za-z_][\w.]*$",
    "description": "A class by its import path: package.module:Class or ./file.py:Class.",
}

METRIC_NAME: JsonSchema = {
    "type": "string",
    "pattern": r"^[^\x00-\x20\x7f-\x9f%/]([^\x00-\x1f\x7f-\x9f%/]*[^\x00-\x20\x7f-\x9f%/])?$",
    "description": "What the names of its metrics begin with.",
}

EVERY: JsonSchema = {
    "type": "integer",
    "minimum": 1,
    "description": "Steps between two evaluations, inline.",
}

INFREQUENT = {
    "type": "boolean",
    "description": "Whether it follows infrequent_eval_every, inline, and not eval_every.",
}

SCHEDULE = {"every": EVERY, "infrequent": INFREQUENT}


def config_schema(presets: Mapping[str, Preset] | None = None) -> JsonSchema:
    """The JSON schema of a config, in the dialect 2020-12.

    Args:
        presets: The presets of the one config that the schema is for. Without it, the schema is for
            any: where a config has presets or plugin files of its own, which no schema can look
            into, the names in it are not checked.
    """
    return _Schema(presets).root()


class _Schema:
    """Collects the definitions that the schema refers to."""

    def __init__(self, presets: Mapping[str, Preset] | None) -> None:
        self.presets = presets
        self.definitions: JsonSchema = {}

    def root(self) -> JsonSchema:
        for kind in COMPONENT_KINDS:
            self.definitions[kind] = {"anyOf": list(self._forms(kind))}
        self.definitions["model"] = {"anyOf": list(self._forms("backend", key="backend"))}
        self.definitions["member"] = {"anyOf": list(self._member_forms())}
        renderers = self._names("renderer")
        self.definitions["renderer"] = {"anyOf": [{"enum": renderers}, _with_options(renderers)]}
        self.definitions["written_renderer"] = {
            "anyOf": [{"$ref": "#/$defs/renderer"}, _mapping_of(renderers)]
        }
        self.definitions["preset"] = {"anyOf": list(self._preset_forms())}
        properties = {
            name: self._field(name, info) for name, info in ConfigOptions.model_fields.items()
        }
        properties["presets"] |= {"anyOf": self._preset_sources()}
        checked: JsonSchema = {
            "model": {"$ref": "#/$defs/model"},
            "evaluators": {"items": {"$ref": "#/$defs/evaluator"}},
            "renderer": {"anyOf": [{"$ref": "#/$defs/written_renderer"}, {"type": "null"}]},
            "extra_graders": {"items": {"enum": self._plugins_with_graders()}},
            "presets": {"additionalProperties": {"$ref": "#/$defs/preset"}},
        }
        open_names: JsonSchema = {"anyOf": [{"required": ["presets"]}, {"required": ["plugins"]}]}
        if self.presets is not None:
            open_names = {"not": {}}
        for name in ("renderer", "extra_graders"):
            properties[name].pop("anyOf", None)
        return {
            "$schema": DIALECT,
            "title": "A config of Proctor",
            "type": "object",
            "properties": properties,
            "required": ["evaluators"],
            "additionalProperties": False,
            "if": {"not": open_names},
            "then": {"properties": checked},
            "$defs": self.definitions,
        }

    def _names(self, kind: str) -> list[str]:
        """Bare names, where they are unambiguous, and full ones."""
        registrations = plugin_manager().registry.of_kind(kind)
        return [name for r in registrations for name in self._names_of(r)]

    def _names_of(self, registration: Registration) -> list[str]:
        rivals = plugin_manager().registry.of_kind(registration.kind)
        is_alone = sum(1 for r in rivals if r.name == registration.name) == 1
        return [*([registration.name] if is_alone else []), registration.qualified_name]

    def _plugins_with_graders(self) -> list[str]:
        return sorted({n for p in plugin_manager().plugins_with(HOOK) for n in p.names})

    def _forms(self, kind: str, key: str = "type") -> Iterator[JsonSchema]:
        """The ways to write a component: its name, a mapping, an import path."""
        extra: JsonSchema = {"name": {"type": "string"}}
        if kind == "evaluator":
            extra = {"name": METRIC_NAME, **SCHEDULE}
        for names, target, given in self._targets(kind):
            try:
                options, required = self._options(options_model(target))
            except ProctorError:
                continue
            required = [name for name in required if name not in given]
            help_text = summary(target)
            if not required:
                yield from ({"const": name, "description": help_text} for name in names)
            yield {
                "type": "object",
                "description": help_text,
                "properties": {
                    key: {"enum": names},
                    "name": {"type": "string"},
                    **extra,
                    **options,
                },
                "required": [key, *required],
                "additionalProperties": False,
            }
        if kind == "evaluator":
            yield self._composed(required=GRADED_KEYS)
        yield IMPORT_PATH
        yield {
            "type": "object",
            "properties": {key: IMPORT_PATH, **extra},
            "required": [key],
        }

    def _composed(self, required: Sequence[str]) -> JsonSchema:
        options, _ = self._options(GradedEvaluator)
        return {
            "type": "object",
            "description": summary(GradedEvaluator),
            "properties": {"name": METRIC_NAME, **SCHEDULE, **options},
            "required": list(required),
            "additionalProperties": False,
        }

    def _member_forms(self) -> Iterator[JsonSchema]:
        """What a suite may hold: any evaluator but another suite."""
        suites = {
            n for names, target, _ in self._targets("evaluator") if target is Suite for n in names
        }
        for form in self.definitions["evaluator"]["anyOf"]:
            names = form.get("properties", {}).get("type", {}).get("enum", ())
            if not suites.intersection(names):
                yield form

    def _preset_forms(self) -> Iterator[JsonSchema]:
        """A preset may leave out what those that build on it give."""
        yield self._composed(required=())
        for form in self.definitions["evaluator"]["anyOf"]:
            if "type" in form.get("required", ()):
                yield form | {"required": ["type"]}

    def _preset_sources(self) -> list[JsonSchema]:
        file = {"type": "string", "description": "A config to take presets from."}
        named = {"type": "object", "description": "Evaluators by name."}
        return [named, file, {"type": "array", "items": {"anyOf": [named, file]}}, {"type": "null"}]

    def _targets(self, kind: str) -> Iterator[tuple[list[str], Code, frozenset[str]]]:
        """What each name stands for, and the options that a preset already gives it.

        A component that can't be imported has no place in a config.
        """
        for registration in plugin_manager().registry.of_kind(kind):
            try:
                if isinstance(registration.target, Mapping):
                    yield self._preset(registration.qualified_name, self._names_of(registration))
                else:
                    yield self._names_of(registration), registration.load(), frozenset()
            except ProctorError:
                continue
        if kind == "evaluator":
            for name in self.presets or {}:
                yield self._preset(name, [name])

    def _preset(self, name: str, names: list[str]) -> tuple[list[str], Code, frozenset[str]]:
        expanded = expand({"type": name}, Place(), self.presets)
        built_on = plugin_manager().registry.find("evaluator", str(expanded.spec["type"]))
        return names, built_on.load(), frozenset(expanded.spec)

    def _options(self, model: type[BaseModel]) -> tuple[JsonSchema, list[str]]:
        """The schema of each field, and which of them are required."""
        fields = model.model_fields
        options = {name: self._field(name, info) for name, info in fields.items()}
        if issubclass(model, Suite):
            options["evaluators"]["items"] = {"$ref": "#/$defs/member"}
        return options, [name for name, info in fields.items() if info.is_required()]

    def _field(self, name: str, info: FieldInfo) -> JsonSchema:
        if name == "renderer" and info.annotation == str | None:
            form = "written_renderer" if info.metadata else "renderer"
            schema: JsonSchema = {"anyOf": [{"$ref": f"#/$defs/{form}"}, {"type": "null"}]}
        else:
            schema = self._value(info.annotation, info.metadata)
        schema.pop("title", None)
        if isinstance(info.json_schema_extra, dict):
            schema |= info.json_schema_extra
        if info.description:
            schema["description"] = " ".join(info.description.split())
        if info.default is not None and not info.is_required() and _is_json(info.default):
            schema["default"] = info.default
        return schema

    def _value(self, annotation: object, metadata: Sequence[object] = ()) -> JsonSchema:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation, *inner = typing.get_args(annotation)
            return self._value(annotation, [*inner, *metadata])
        for mark in metadata:
            if isinstance(mark, ComponentKind):
                if mark.kind == "backend":
                    return {"anyOf": [{"$ref": "#/$defs/model"}, {"$ref": "#/$defs/backend"}]}
                is_known = mark.kind in COMPONENT_KINDS
                return {"$ref": f"#/$defs/{mark.kind}"} if is_known else {}
        if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
            return self._object(annotation)
        if not holds_component(annotation):
            return self._plain(annotation, metadata)
        arguments = typing.get_args(annotation)
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            return {"anyOf": [self._value(argument, metadata) for argument in arguments]}
        least = [mark.min_length for mark in metadata if hasattr(mark, "min_length")]
        items: JsonSchema = {"type": "array", "items": self._value(arguments[0])}
        return items | ({"minItems": least[0]} if least else {})

    def _object(self, model: type[BaseModel]) -> JsonSchema:
        options, required = self._options(model)
        return {
            "type": "object",
            "properties": options,
            "required": required,
            "additionalProperties": model.model_config.get("extra") != "forbid",
        }

    def _plain(self, annotation: object, metadata: Sequence[object]) -> JsonSchema:
        """The schema that pydantic has for a type; whatever it has none for may be anything."""
        # the type of an option, as a plugin's or a person's code has it
        marked: Any = typing.Annotated[annotation, *metadata] if metadata else annotation
        try:
            schema = TypeAdapter(
                marked, config=ConfigDict(arbitrary_types_allowed=True)
            ).json_schema()
        except (PydanticInvalidForJsonSchema, PydanticUserError, TypeError):
            return {}
        self.definitions |= schema.pop("$defs", {})
        return schema


def _with_options(names: Sequence[str]) -> JsonSchema:
    """A renderer's name with its options as JSON behind it."""
    return {"type": "string", "pattern": rf"^({'|'.join(map(re.escape, names))})\s*\{{.*\}}$"}


def _mapping_of(names: Sequence[str]) -> JsonSchema:
    """A renderer with its options as a mapping."""
    return {
        "type": "object",
        "properties": {"type": {"enum": list(names)}},
        "required": ["type"],
        "additionalProperties": {"type": "string"},
    }


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
