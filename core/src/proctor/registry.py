"""Names to components: who registered what, and how a config's spec becomes an object."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proctor.errors import PluginError, UnknownComponentError
from proctor.plugin_discovery import missing_requirements
from proctor.plugin_status import Plugin

KINDS = ("evaluator", "grader", "dataset", "renderer", "backend", "command")

FIRST_PARTY = {
    **{("grader", name): "proctor-text" for name in ("choice", "exact", "f1", "number")},
    **{("grader", name): "proctor-text" for name in ("regex", "substring")},
    **{("dataset", name): "proctor-datasets" for name in ("csv", "huggingface", "inline")},
    **{("dataset", name): "proctor-datasets" for name in ("jsonl", "parquet")},
    ("backend", "local"): "proctor-local",
    ("backend", "openai"): "proctor-openai",
    ("grader", "llm_judge"): "proctor-judge",
    ("grader", "embedding"): "proctor-embedding",
    ("evaluator", "inspect"): "proctor-inspect",
    ("evaluator", "cookbook_benchmark"): "proctor-cookbook",
    ("command", "report"): "proctor-report",
    ("command", "judge"): "proctor-judge",
    ("command", "export"): "proctor-inspect",
    ("grader", "inspect_scorer"): "proctor-inspect",
    ("backend", "inspect"): "proctor-inspect",
}
"""First-party names and the distributions that have them, for the hint to install one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?")
_TARGET = re.compile(r"[\w.]+:[\w.]+")


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
    target: str | type[Any] | Mapping[str, Any]
    distribution: str
    distribution_version: str
    source: str | None = None
    file: Path | None = None

    @property
    def qualified_name(self) -> str:
        """``distribution/name``, which is never ambiguous."""
        return f"{self.distribution}/{self.name}"

    def load(self) -> Any:
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


def one_line(error: BaseException) -> str:
    """An exception's kind and message in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def import_remedy(error: BaseException, distribution: str) -> str:
    """What to do about a failed import."""
    missing = missing_requirements(distribution)
    if isinstance(error, ImportError) and missing:
        return "install what it needs: pip install " + " ".join(repr(line) for line in missing)
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        if importlib.util.find_spec(package) is None:
            return f"install what it needs: pip install {package}"
    if distribution.endswith(".py"):
        return f"mend {distribution}"
    return f"mend or uninstall {distribution}, or leave it out: --no-plugin {distribution}"


def import_target(target: str) -> Any:
    """Imports ``module:Name``, or ``path/to/file.py:Name``."""
    module_name, _, attribute = target.rpartition(":")
    if module_name.endswith(".py"):
        module: Any = import_file(Path(module_name))
    else:
        module = importlib.import_module(module_name)
    for part in attribute.split("."):
        module = getattr(module, part)
    return module


def import_file(path: Path) -> Any:
    """Imports a lone Python file under a name of its own; a changed file is another module.

    Raises:
        FileNotFoundError: There is no such file.
    """
    path = path.expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    content = hashlib.sha256(str(path).encode() + b"\0" + path.read_bytes()).hexdigest()[:12]
    name = f"proctor_file_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}_{content}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def module_of(code: Any) -> str:
    """The name of the module that defines a class or a function; methods of built-in types too."""
    return getattr(code, "__module__", None) or "builtins"


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

    def grader(self, name: str, target: str | type[Any]) -> None:
        """Names a grader."""
        self._add("grader", name, target)

    def evaluator(self, name: str, target: str | type[Any] | Mapping[str, Any]) -> None:
        """Names an evaluator, or a preset: the mapping of a composed one."""
        self._add("evaluator", name, target)

    def dataset(self, name: str, target: str | type[Any]) -> None:
        """Names a dataset."""
        self._add("dataset", name, target)

    def renderer(self, name: str, target: str | type[Any]) -> None:
        """Names a renderer: a class, or a function, that takes a tokenizer."""
        self._add("renderer", name, target)

    def backend(self, name: str, target: str | type[Any]) -> None:
        """Names a backend."""
        self._add("backend", name, target)

    def command(self, name: str, target: str | type[Any]) -> None:
        """Names a click command that ``proctor`` gets."""
        self._add("command", name, target)

    def _add(self, kind: str, name: str, target: str | type[Any] | Mapping[str, Any]) -> None:
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


class Registry:
    """Every name that working plugins registered, with its owner.

    Args:
        plugins: The plugins that were found; what became of them explains why a name is unknown.
    """

    def __init__(self, plugins: Sequence[Plugin] = ()) -> None:
        self._by_name: dict[tuple[str, str], list[Registration]] = {}
        self._plugins = plugins

    @property
    def broken_plugins(self) -> list[str]:
        """One line for each plugin that could not be loaded, with its cause."""
        return [
            f"{plugin.qualified_name}: {problem.what}"
            for plugin in self._plugins
            if plugin.status == "broken"
            for problem in plugin.problems
        ]

    def add(self, registration: Registration) -> None:
        """Adds one registration; a second one of a bare name makes that name ambiguous."""
        self._by_name.setdefault((registration.kind, registration.name), []).append(registration)

    def of_kind(self, kind: str) -> list[Registration]:
        """All registrations of a kind, by name and then owner."""
        found = [r for (k, _), rs in self._by_name.items() if k == kind for r in rs]
        return sorted(found, key=lambda r: (r.name, r.distribution))

    def naming(self, code: Any, distribution: str | None) -> Registration | None:
        """The registration that names a class or a function.

        Args:
            code: The class or the function.
            distribution: Whose it is, so that a name which that one gave it through another of
                its modules is found too.
        """
        path = f"{module_of(code)}:{code.__qualname__}"
        known = [r for _, rs in sorted(self._by_name.items()) for r in rs]
        for registration in known:
            if registration.target == path or registration.target is code:
                return registration
        for registration in known:
            if registration.distribution == distribution:
                with contextlib.suppress(PluginError):
                    if registration.load() is code:
                        return registration
        return None

    def conflicts(self) -> list[list[Registration]]:
        """The groups of registrations that share a bare name."""
        return [rs for rs in self._by_name.values() if len(rs) > 1]

    def find(
        self, kind: str, name: str, where: str | None = None, others: Iterable[str] = ()
    ) -> Registration:
        """The registration that a bare or qualified name means.

        Args:
            kind: The kind of component.
            name: ``name`` or ``distribution/name``.
            where: The place that asks, for the error.
            others: More names that could have been meant, such as a config's own presets.

        Raises:
            UnknownComponentError: No working plugin has it, or two have the bare name.
        """
        bare = self._by_name.get((kind, name), [])
        if len(bare) == 1:
            return bare[0]
        if bare:
            owners = " and ".join(sorted(r.qualified_name for r in bare))
            raise UnknownComponentError(
                f"{kind} {name!r} is ambiguous: {owners}",
                where=where,
                fix="write the one you mean in full",
            )
        for registration in self.of_kind(kind):
            if registration.qualified_name == name:
                return registration
        raise UnknownComponentError(
            f"unknown {kind} {name!r}", where=where, fix=self._remedy(kind, name, others)
        )

    def _remedy(self, kind: str, name: str, others: Iterable[str]) -> str:
        """Where the name may be: in a plugin that doesn't work, in one to install, misspelt."""
        owner = name.partition("/")[0] if "/" in name else FIRST_PARTY.get((kind, name))
        absent = [plugin for plugin in self._plugins if not plugin.is_working]
        owned = [plugin for plugin in absent if plugin.names & {name, owner}]
        if owned:
            return "; ".join(_absence(plugin) for plugin in owned)
        names = sorted({r.name for r in self.of_kind(kind)} | set(others))
        hints = []
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        if near:
            hints.append(f"did you mean {' or '.join(repr(n) for n in near)}?")
        if (kind, name) in FIRST_PARTY and not any(owner in p.names for p in self._plugins):
            hints.append(f"pip install {owner}")
        if not hints:
            known = ", ".join(names) if names else "none"
            hints.append(f"known {kind}s: {known}")
        broken = [plugin for plugin in absent if plugin.status == "broken"]
        if len(broken) > 1:
            hints.extend(f"broken plugin {line}" for line in self.broken_plugins)
            hints.append("proctor plugins doctor says what to do")
        else:
            hints.extend(_absence(plugin) for plugin in broken)
        blocked = [plugin.qualified_name for plugin in absent if plugin.status == "blocked"]
        if blocked and not near:
            hints.append(f"left out: {', '.join(blocked)}")
        return "; ".join(hints)


def _absence(plugin: Plugin) -> str:
    if plugin.status == "blocked":
        return f"plugin {plugin.qualified_name} is left out, by --no-plugin or PROCTOR_PLUGINS"
    return f"broken plugin {plugin.qualified_name}: " + "; ".join(map(str, plugin.problems))
