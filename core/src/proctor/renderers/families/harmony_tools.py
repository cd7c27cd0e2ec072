"""Tool declarations in TypeScript, as gpt-oss reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from proctor.types import ToolSpec

Schema: TypeAlias = Mapping[str, Any]  # the JSON of whoever declares the tool

_SCALARS = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean"}


def declare_namespace(tools: Sequence[ToolSpec]) -> str:
    """The section of a developer message that declares tools."""
    declared = "\n\n".join(_declare(tool) for tool in tools)
    frame = (
        "# Tools\n\n## functions\n\nnamespace functions {",
        declared,
        "} // namespace functions",
    )
    return "\n\n".join(frame)


def _declare(tool: ToolSpec) -> str:
    comment = f"// {tool['description']}\n" if tool.get("description") else ""
    return f"{comment}type {tool['name']} = {_parameters(tool.get('parameters') or {})} => any;"


def _parameters(schema: Schema) -> str:
    if schema.get("type") != "object" or not schema.get("properties"):
        return "()"
    about = schema.get("description")
    lines = [f"(_: // {about}" if about else "(_:", "{"]
    required = schema.get("required", ())
    for name, property_schema in schema["properties"].items():
        lines.extend(f"// {comment}" for comment in _comments(property_schema))
        lines.append(_property(name, property_schema, required) + ",")
        if "default" in property_schema:
            lines[-1] += f" // default: {json.dumps(property_schema['default'])}"
    return "\n".join([*lines, "})"])


def _property(name: str, schema: Schema, required: Sequence[str]) -> str:
    return f"{name}{'' if name in required else '?'}: {_type(schema)}"


def _comments(schema: Schema) -> Iterator[str]:
    if schema.get("title"):
        yield str(schema["title"])
        yield ""
    if schema.get("description"):
        yield str(schema["description"])
    if schema.get("examples"):
        yield "Examples:"
        yield from (f"- {json.dumps(example)}" for example in schema["examples"])


def _type(schema: Schema) -> str:
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return " | ".join(_type(option) for option in schema[union])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " | ".join(_type({"type": option}) for option in kind)
    if kind == "string" and "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    name = _SCALARS.get(kind, "any")
    if kind == "array":
        name = f"{_type(schema.get('items', {}))}[]"
    elif kind == "object":
        required = schema.get("required", ())
        inner = (_property(n, s, required) for n, s in schema.get("properties", {}).items())
        name = f"{{ {', '.join(inner)} }}"
    return f"{name} | null" if schema.get("nullable") else name
