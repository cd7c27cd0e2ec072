"""What every named part has in common: typed options, a version, a fingerprint, a life."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, PrivateAttr

from proctor.foreign import awaited

Code: TypeAlias = Any  # a class or a function that a plugin or a person wrote
Option: TypeAlias = Any  # the value of a field or an option, as a person's Python code passes it

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


def python_file_in(folder: Path, text: str) -> str:
    """A text that may begin with a Python file's path, which is read against a folder.

    Args:
        folder: The folder.
        text: The text, such as ``tasks.py@capitals`` or ``house.py:Brief``.

    Returns:
        The text with an absolute path; one that begins with no path, as it is.
    """
    found = re.fullmatch(r"(.+\.py)([:@].*)?", text)
    return f"{folder / found[1]}{found[2] or ''}" if found else text


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
    _given_name: str | None = PrivateAttr(default=None)

    def _definition(self) -> Code:
        """The class or function that says how it behaves."""
        return type(self)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
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

    def check_options(self) -> None:
        """Refuses options that contradict each other, of a component that a config made.

        Raises:
            ConfigError: They do.
        """

    async def open(self) -> None:
        """Makes the heavy state. Called once, before anything is sampled."""

    async def close(self) -> None:
        """Drops the heavy state. Called once, also after a failure."""


def given_name(component: Component) -> str | None:
    """The name that a config, or an import path, called a component by; None where neither did."""
    return component._given_name


async def close_all(components: Iterable[Component]) -> None:
    """Closes every component, also where another can't be closed.

    Raises:
        Exception: What the first that can't be closed raised, once all were told.
    """
    first: Exception | None = None
    for component in components:
        try:
            await awaited(component.close())
        except Exception as error:
            first = first or error
    if first is not None:
        raise first


def summary(component: type) -> str:
    """The first line of a component's docstring."""
    doc = inspect.getdoc(component) or ""
    return doc.splitlines()[0] if doc else ""
