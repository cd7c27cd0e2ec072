"""What a plugin's ``proctor_register`` gets."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proctor.errors import PluginError
from proctor.plugins.plugin import Registration, Target

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?")

_TARGET = re.compile(r"[\w.]+:[\w.]+")


@dataclass(slots=True)
class Registrar:
    """What a plugin's ``proctor_register`` gets: it knows whose names they are.

    A plugin that raises half-way leaves none of its names behind, since they are added to the
    registry only after it returned.
    """

    distribution: str
    distribution_version: str
    source: str | None = None
    file: Path | None = None
    registrations: list[Registration] = field(default_factory=list)

    def grader(self, name: str, target: Target) -> None:
        """Names a grader."""
        self._add("grader", name, target)

    def evaluator(self, name: str, target: Target | Mapping[str, object]) -> None:
        """Names an evaluator, or a preset: the mapping of a composed one."""
        self._add("evaluator", name, target)

    def dataset(self, name: str, target: Target) -> None:
        """Names a dataset."""
        self._add("dataset", name, target)

    def renderer(self, name: str, target: Target) -> None:
        """Names a renderer: a class, or a function, that takes a tokenizer."""
        self._add("renderer", name, target)

    def backend(self, name: str, target: Target) -> None:
        """Names a backend."""
        self._add("backend", name, target)

    def command(self, name: str, target: Target) -> None:
        """Names a click command that ``proctor`` gets."""
        self._add("command", name, target)

    def _add(self, kind: str, name: str, target: Target | Mapping[str, object]) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise PluginError(f"{name!r} is no name for a {kind}", where=self.distribution)
        if isinstance(target, str):
            if not _TARGET.fullmatch(target):
                raise PluginError(
                    f"{kind} {name!r} points at {target!r}",
                    where=self.distribution,
                    fix="write it as 'module:Class'",
                )
        elif isinstance(target, Mapping):
            if kind != "evaluator":
                raise PluginError(f"{kind} {name!r} is a mapping", where=self.distribution)
        elif self.source is None:
            raise PluginError(
                f"{kind} {name!r} is registered as an object",
                where=self.distribution,
                fix="write it as 'module:Class', so that it is imported only when used",
            )
        elif not (inspect.isclass(target) or callable(target)):
            raise PluginError(f"{kind} {name!r} is no class", where=self.distribution)
        if any(known.kind == kind and known.name == name for known in self.registrations):
            raise PluginError(f"{kind} {name!r} is registered twice", where=self.distribution)
        self.registrations.append(
            Registration(
                kind,
                name,
                target,
                self.distribution,
                self.distribution_version,
                self.source,
                self.file,
            )
        )
