"""What became of one plugin: its status, its problems, what it registered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from proctor.errors import PluginError, one_line
from proctor.plugins.importing import Code, import_remedy, import_target

Status = Literal["ok", "blocked", "broken", "conflict"]

Target: TypeAlias = str | Callable[..., object]
"""``module:Class``; or, from a single-file plugin, the class or the function itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a plugin.

    Attributes:
        what: What is wrong, in one line.
        remedy: What to do about it.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}"


@dataclass(slots=True)
class Plugin:
    """One plugin, and what became of it.

    Attributes:
        name: The entry point's name, or the file's stem.
        distribution: The distribution that has the entry point, or the file's name.
        version: The distribution's version; a digest for a file.
        target: The module that the entry point names; None for a file.
        file: The file of a single-file plugin.
        status: What became of it. One with a conflict works, under its full names.
        problems: What is wrong with it.
        seconds: Time to import and register.
        heavy: Heavy packages that its import pulled in.
        registrations: What it named.
    """

    name: str
    distribution: str
    version: str
    target: str | None = None
    file: Path | None = None
    status: Status = "ok"
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0
    heavy: tuple[str, ...] = ()
    registrations: list[Registration] = field(default_factory=list)

    @property
    def qualified_name(self) -> str:
        """``distribution/name``, unique among plugins."""
        return f"{self.distribution}/{self.name}"

    @property
    def packages(self) -> set[str]:
        """The packages that its entry point and its components are in; none for a file."""
        if self.target is None:
            return set()
        targets = [self.target, *(r.target for r in self.registrations)]
        modules = {target.partition(":")[0] for target in targets if isinstance(target, str)}
        return {_package(module) for module in modules}

    @property
    def names(self) -> set[str]:
        """The names by which ``--no-plugin`` and ``PROCTOR_PLUGINS`` know it."""
        return {self.name, self.distribution, self.qualified_name}

    @property
    def is_working(self) -> bool:
        """Whether its names can be used."""
        return self.status in ("ok", "conflict")

    def fail(self, what: str, remedy: str) -> None:
        """Marks the plugin as broken."""
        self.status = "broken"
        self.problems = [Problem(what, remedy)]

    def clash(self, what: str, remedy: str) -> None:
        """Notes a conflict with another plugin."""
        self.status = "conflict"
        self.problems.append(Problem(what, remedy))


def _package(module: str) -> str:
    is_package = hasattr(sys.modules.get(module), "__path__")
    return module if is_package else module.rpartition(".")[0] or module


@dataclass(frozen=True, slots=True)
class Registration:
    """One name that one plugin gave to one component.

    Attributes:
        kind: One of ``KINDS``.
        name: The bare name.
        target: ``module:Class``; a class, from a single-file plugin; or, for evaluators, the
            mapping of a preset.
        distribution: The distribution that owns it, or the file's name.
        distribution_version: Its version.
        source: A digest of the file, for a single-file plugin.
        file: The plugin's own file, against which the relative paths of a preset are read.
    """

    kind: str
    name: str
    target: Target | Mapping[str, object]
    distribution: str
    distribution_version: str
    source: str | None = None
    file: Path | None = None

    @property
    def qualified_name(self) -> str:
        """``distribution/name``, which is never ambiguous."""
        return f"{self.distribution}/{self.name}"

    def load(self) -> Code:
        """The component's class (or function, or preset).

        Raises:
            PluginError: Its module can't be imported, or doesn't have it.
        """
        if not isinstance(self.target, str):
            return self.target
        try:
            return import_target(self.target)
        except Exception as error:
            raise PluginError(
                f"{self.kind} {self.name!r} can't be imported: {one_line(error)}",
                where=f"{self.distribution} {self.distribution_version}",
                fix=import_remedy(error, self.distribution),
            ) from error
