"""Where a component comes from, and what tells it from every other."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, overload

from pydantic import BaseModel, SecretBytes, SecretStr

from proctor.components.component import Code, Component, Origin
from proctor.hashing import canonical_json, digest

if TYPE_CHECKING:
    from proctor.plugins.plugin import Registration


def origin_of(component: object) -> Origin:
    """Where a component comes from, whether a config or a person's own code made it."""
    known = getattr(component, "_origin", None)
    if isinstance(known, Origin):
        return known
    if isinstance(component, Component):
        return origin_of_code(component._definition())
    return origin_of_code(component if inspect.isroutine(component) else type(component))


def origin_of_code(code: Code) -> Origin:
    """Where a class or a function comes from.

    What a plugin's distribution holds is known by the distribution and the name: the registered
    one, else the code's own. A class that is registered speaks for its behaviour by its version;
    everything else is told by its source, of which a distribution's may move between its modules.
    """
    from proctor.plugins.active import plugin_manager
    from proctor.plugins.importing import module_of

    manager = plugin_manager()
    registration = manager.registration_of(code)
    if registration is not None:
        return origin_of_registered(registration, code)
    module = module_of(code)
    distribution = manager.distribution_of(module)
    if distribution is not None:
        return Origin(f"{distribution}/{code.__qualname__}", definition_digest(code))
    return Origin(f"{module}:{code.__qualname__}", source_digest(code, _bound(code)))


def _bound(code: Code) -> object:
    """What tells functions apart that stand in one file under one name; None for all others."""
    compiled = getattr(code, "__code__", None)
    cells = [cell.cell_contents for cell in getattr(code, "__closure__", None) or ()]
    if compiled is None or not (cells or code.__name__ == "<lambda>"):
        return None
    values = [*compiled.co_names, *compiled.co_consts, *cells]
    plain = [value for value in values if isinstance(value, (str, int, float, bool))]
    return [compiled.co_firstlineno, compiled.co_code.hex(), plain]


def origin_of_registered(registration: Registration, code: Code) -> Origin:
    """Where a class or a function comes from that a plugin registered."""
    if registration.source is None and inspect.isroutine(code):
        return Origin(registration.qualified_name, definition_digest(code))
    return Origin(registration.qualified_name, registration.source)


def definition_digest(code: Code) -> str:
    """A digest of what a class or a function does by itself: not of its module and its comments."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (TypeError, OSError, SyntaxError):
        return source_digest(code)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_text(line)] or [ast.Pass()]  # type: ignore[attr-defined]
    return "sha256:" + hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def _is_text(line: ast.stmt) -> bool:
    """Whether a statement is a docstring, of whatever it stands in or under."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def source_digest(code: object, bound: object = None) -> str:
    """A digest of the file that defines a class or a function, or of its name where none does.

    Args:
        code: The class or the function.
        bound: More that it depends on; None for nothing.
    """
    try:
        content = Path(inspect.getfile(code)).read_bytes()  # type: ignore[arg-type]
    except (TypeError, OSError):
        try:
            content = inspect.getsource(code).encode()  # type: ignore[arg-type]
        except (TypeError, OSError):
            content = repr(getattr(code, "__qualname__", code)).encode()
    if bound is not None:
        content += canonical_json(bound).encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(content).hexdigest()[:16]


@overload
def describe(value: Component) -> dict[str, object]: ...


@overload
def describe(value: object) -> object: ...


def describe(value: object) -> object:
    """A component, or an option's value, as JSON: what a fingerprint is the digest of.

    Components become ``{type, version, options}``, recursively. ``model_dump`` is no use here: a
    list of graders of a base type dumps as empty mappings.
    """
    if isinstance(value, Component):
        options = {name: describe(getattr(value, name)) for name in type(value).model_fields}
        return {**_described_origin(value), "version": value.version, "options": options}
    if isinstance(value, BaseModel):
        return {name: describe(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((describe(item) for item in value), key=canonical_json)
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, (SecretStr, SecretBytes)):
        return "(secret)"
    if isinstance(value, functools.partial):
        parts = {"function": value.func, "arguments": value.args, "keywords": value.keywords}
        return describe(parts)
    return _described_origin(value)


def _described_origin(value: object) -> dict[str, str]:
    origin = origin_of(value)
    return {"type": origin.type} | ({"source": origin.source} if origin.source else {})


def fingerprint(component: object) -> str:
    """What tells a component, with its options, from every other that behaves differently."""
    return digest(describe(component))
