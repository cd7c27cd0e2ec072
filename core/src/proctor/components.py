"""What every named part has in common: typed options, a version, a fingerprint, a life."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretBytes, SecretStr

RESERVED_FIELDS = frozenset({"type", "name"})
"""Keys of a component's mapping in a config that are never options."""


@dataclass(frozen=True, slots=True)
class ComponentKind:
    """Marks a field whose value is a component of this kind.

    ``Annotated[Dataset, ComponentKind("dataset")]`` lets a config write the component's name, or a
    mapping with ``type``, where the field stands; the registry builds it.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class FileFirst:
    """Marks a text that may begin with a Python file's path, such as ``tasks.py@capitals``.

    A relative one is read against the config's folder.
    """


PythonFile = Annotated[str, FileFirst()]
"""The type of an option that may begin with a Python file's path."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a component comes from: what its fingerprint names.

    Attributes:
        type: ``distribution/name``, or a class's own path where no plugin registered it.
        source: A digest of the file that defines it, where no distribution's version can speak
            for its behaviour; None for a distribution's component.
    """

    type: str
    source: str | None = None


class Component(BaseModel):
    """A named part whose pydantic fields are its options.

    The first line of the docstring is what ``proctor list`` prints; a literal under a field is its
    help. Heavy state (a model, a connection) is made in ``open`` and dropped in ``close``.
    """

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    version: ClassVar[int] = 1
    """Raised when the same options come to mean something else."""

    _origin: Origin | None = PrivateAttr(default=None)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuses, at definition, options that a config could not set.

        Raises:
            TypeError: A field is called ``type`` or ``name``, or hides an attribute of Component.
        """
        super().__pydantic_init_subclass__(**kwargs)
        for field in cls.model_fields:
            if field in RESERVED_FIELDS:
                raise TypeError(f"{cls.__name__}.{field}: {field!r} is reserved in a config")
            for base in cls.__mro__[1:]:
                own = base.__module__.split(".")[0] in ("proctor", "pydantic")
                if own and hasattr(base, field) and field not in getattr(base, "model_fields", {}):
                    raise TypeError(f"{cls.__name__}.{field}: an option may not hide {field!r}")

    async def open(self) -> None:
        """Makes the heavy state. Called once, before anything is sampled."""

    async def close(self) -> None:
        """Drops the heavy state. Called once, also after a failure."""


async def close_all(components: Iterable[Component]) -> None:
    """Closes every component, also where another can't be closed.

    Raises:
        Exception: What the first that can't be closed raised, once all were told.
    """
    first: Exception | None = None
    for component in components:
        try:
            await component.close()
        except Exception as error:
            first = first or error
    if first is not None:
        raise first


def summary(component: type[Any]) -> str:
    """The first line of a component's docstring."""
    doc = inspect.getdoc(component) or ""
    return doc.splitlines()[0] if doc else ""


def origin_of(component: object) -> Origin:
    """Where a component comes from, whether the registry or a person's own code made it."""
    known = getattr(component, "_origin", None)
    if isinstance(known, Origin):
        return known
    code = component if inspect.isroutine(component) else type(component)
    path = f"{code.__module__}:{code.__qualname__}"
    return Origin(path, source_digest(code))


def source_digest(code: object) -> str:
    """A digest of the file that defines a class or a function, or of its name where none does."""
    try:
        content = Path(inspect.getfile(code)).read_bytes()  # type: ignore[arg-type]
    except (TypeError, OSError):
        try:
            content = inspect.getsource(code).encode()  # type: ignore[arg-type]
        except (TypeError, OSError):
            content = repr(getattr(code, "__qualname__", code)).encode()
    return "sha256:" + hashlib.sha256(content).hexdigest()[:16]


def describe(value: object) -> Any:
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
    return _described_origin(value)


def _described_origin(value: object) -> dict[str, Any]:
    origin = origin_of(value)
    return {"type": origin.type} | ({"source": origin.source} if origin.source else {})


def canonical_json(value: Any) -> str:
    """JSON with one spelling: keys sorted, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """The first 128 bits of the SHA-256 of a JSON value's canonical form, as hex."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fingerprint(component: object) -> str:
    """What tells a component, with its options, from every other that behaves differently."""
    return digest(describe(component))
