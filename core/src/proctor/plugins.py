"""Plugins: found, loaded one by one, kept apart from each other's mistakes."""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import inspect
import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pluggy

from proctor import hookspecs
from proctor.errors import PluginError
from proctor.registry import (
    Registrar,
    Registration,
    Registry,
    import_file,
    import_remedy,
    one_line,
)

logger = logging.getLogger("proctor")

GROUP = "proctor"
"""The entry-point group."""

HEAVY_PACKAGES = (
    "accelerate",
    "datasets",
    "inspect_ai",
    "jax",
    "openai",
    "pandas",
    "pyarrow",
    "sentence_transformers",
    "tensorflow",
    "tinker",
    "tinker_cookbook",
    "torch",
    "transformers",
)
"""Packages that a plugin's entry module must not import."""

Status = Literal["ok", "blocked", "broken", "conflict"]


@dataclass(slots=True)
class Plugin:
    """One plugin, and what became of it.

    Attributes:
        name: The entry point's name, or the file's stem.
        distribution: The distribution that has the entry point, or the file's name.
        version: The distribution's version; a digest for a file.
        status: ``broken`` has its cause in ``problem``; ``conflict`` says there with whom.
        problem: What is wrong, in one line.
        remedy: What to do about it.
        seconds: Time to import and register.
        heavy: Heavy packages that its import pulled in.
        registrations: What it named.
    """

    name: str
    distribution: str
    version: str
    status: Status = "ok"
    problem: str | None = None
    remedy: str | None = None
    seconds: float = 0.0
    heavy: tuple[str, ...] = ()
    registrations: list[Registration] = field(default_factory=list)

    @property
    def qualified_name(self) -> str:
        """``distribution/name``, unique among plugins."""
        return f"{self.distribution}/{self.name}"

    def fail(self, problem: str, remedy: str) -> None:
        """Marks the plugin as broken."""
        self.status, self.problem, self.remedy = "broken", problem, remedy


class PluginManager:
    """Finds and loads plugins, and calls their hooks.

    It is written around ``importlib.metadata.entry_points``, not pluggy's own loader, which stops
    at the first broken plugin and drops a second distribution with the same entry-point name
    without a word.

    Args:
        blocked: Plugins not to load: entry-point names or ``distribution/name``.
        files: Single-file plugins to load beside the installed ones.
        only: The only plugins to load; None for all that are installed.
    """

    def __init__(
        self,
        *,
        blocked: Iterable[str] = (),
        files: Iterable[Path | str] = (),
        only: Iterable[str] | None = None,
    ) -> None:
        self.registry = Registry()
        self.plugins: list[Plugin] = []
        self._pluggy = pluggy.PluginManager(GROUP)
        self._pluggy.add_hookspecs(hookspecs)
        self._dropped: set[str] = set()
        self._blocked = set(blocked)
        self._only = None if only is None else set(only)
        _register_core(self.registry)
        for entry_point in _entry_points():
            self._load_entry_point(entry_point)
        for file in files:
            self.load_file(Path(file))
        self._find_conflicts()

    def load_file(self, path: Path) -> None:
        """Loads a single-file plugin.

        Raises:
            PluginError: It can't be imported; unlike an installed plugin, it was asked for.
        """
        path = path.expanduser().resolve()
        if any(p.distribution == path.name and p.name == path.stem for p in self.plugins):
            return
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        except OSError as error:
            raise PluginError(
                f"no plugin file {path}: {one_line(error)}", fix="check the path"
            ) from error
        plugin = Plugin(path.stem, path.name, f"sha256:{content}")
        self.plugins.append(plugin)
        self._load(plugin, lambda: import_file(path), source=plugin.version)
        if plugin.status == "broken":
            raise PluginError(plugin.problem or "broken", where=str(path), fix=plugin.remedy)
        self._find_conflicts()

    def _load_entry_point(self, entry_point: importlib.metadata.EntryPoint) -> None:
        dist = entry_point.dist
        distribution = dist.metadata["Name"] if dist else entry_point.value
        version = dist.version if dist else "unknown"
        plugin = Plugin(entry_point.name, distribution, version)
        self.plugins.append(plugin)
        names = {plugin.name, plugin.distribution, plugin.qualified_name}
        if names & self._blocked or (self._only is not None and not names & self._only):
            plugin.status = "blocked"
            return
        unmet = _unmet_core_requirement(dist.requires or []) if dist else None
        if unmet:
            plugin.fail(
                f"needs {unmet}, and this is proctor {_core_version()}",
                f"upgrade proctor, or install a version of {distribution} for it",
            )
        else:
            self._load(plugin, entry_point.load)
        if plugin.status == "broken":
            self.registry.broken_plugins.append(f"{plugin.qualified_name}: {plugin.problem}")

    def _load(self, plugin: Plugin, load: Any, source: str | None = None) -> None:
        started = time.perf_counter()
        before = set(sys.modules)
        try:
            module = load()
            self._check_names(module)
            self._pluggy.register(module, name=plugin.qualified_name)
            self._check_hooks(module)
            registrar = Registrar(plugin.distribution, plugin.version, source)
            self._call(plugin, "proctor_register", registry=registrar)
        except (Exception, SystemExit) as error:
            if self._pluggy.has_plugin(plugin.qualified_name):
                self._pluggy.unregister(name=plugin.qualified_name)
            if isinstance(error, PluginError):
                plugin.fail(error.what, error.fix or import_remedy(error, plugin.distribution))
            else:
                plugin.fail(one_line(error), import_remedy(error, plugin.distribution))
            return
        finally:
            plugin.seconds = time.perf_counter() - started
            loaded = {name.split(".")[0] for name in set(sys.modules) - before}
            plugin.heavy = tuple(name for name in HEAVY_PACKAGES if name in loaded)
        plugin.registrations = registrar.registrations
        for registration in registrar.registrations:
            self.registry.add(registration)

    def _check_names(self, module: Any) -> None:
        """Refuses functions that look like hooks and would never be called."""
        known = _hook_names()
        for name, value in vars(module).items():
            if not name.startswith("proctor_") or not inspect.isfunction(value):
                continue
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise PluginError(
                    f"no hook is called {name!r}",
                    fix=f"did you mean {near[0]!r}?" if near else f"hooks: {', '.join(known)}",
                )
            if not hasattr(value, "proctor_impl"):
                raise PluginError(f"{name!r} is not marked", fix="put @proctor.hookimpl on it")

    def _check_hooks(self, module: Any) -> None:
        for caller in self._pluggy.get_hookcallers(module) or []:
            if not caller.has_spec():
                near = difflib.get_close_matches(caller.name, _hook_names(), n=1)
                raise PluginError(
                    f"no hook is called {caller.name!r}",
                    fix=f"did you mean {near[0]!r}?" if near else "see the reference of hooks",
                )

    def _find_conflicts(self) -> None:
        for plugin in self.plugins:
            if plugin.status == "broken" or plugin.status == "blocked":
                continue
            rivals = [
                other.distribution
                for other in self.plugins
                if other is not plugin
                and other.name == plugin.name
                and other.status in ("ok", "conflict")
            ]
            if rivals:
                plugin.status = "conflict"
                plugin.problem = f"entry point {plugin.name!r} is also {', '.join(rivals)}'s"
                plugin.remedy = f"block one of them: --no-plugin {plugin.qualified_name}"
        for group in self.registry.conflicts():
            for plugin in self.plugins:
                mine = [r for r in group if r in plugin.registrations]
                if mine:
                    others = [r.qualified_name for r in group if r not in mine]
                    plugin.status = "conflict"
                    plugin.problem = f"{mine[0].kind} {mine[0].name!r} is also {', '.join(others)}"
                    plugin.remedy = f"write {mine[0].qualified_name!r}, or block one of them"

    def _call(self, plugin: Plugin, hook: str, **arguments: Any) -> list[Any]:
        """Calls one hook of one plugin alone, so that its result and its error are its own."""
        others = [
            module
            for name, module in self._pluggy.list_name_plugin()
            if name != plugin.qualified_name and module is not None
        ]
        caller = self._pluggy.subset_hook_caller(hook, remove_plugins=others)
        return list(caller(**arguments))

    def _working(self) -> Iterator[Plugin]:
        for plugin in self.plugins:
            if plugin.status in ("ok", "conflict") and plugin.qualified_name not in self._dropped:
                yield plugin

    def extra_graders(self, evaluator_spec: Mapping[str, Any]) -> list[Any]:
        """Specs of graders that plugins add to an evaluator.

        Raises:
            PluginError: A plugin raised; a grader may not go missing unseen.
        """
        extra: list[Any] = []
        for plugin in self._working():
            try:
                results = self._call(plugin, "proctor_extra_graders", evaluator_spec=evaluator_spec)
            except Exception as error:
                raise PluginError(
                    f"proctor_extra_graders raised {one_line(error)}",
                    where=plugin.qualified_name,
                    fix=f"mend it, or --no-plugin {plugin.qualified_name}",
                ) from error
            for result in results:
                extra.extend(result or [])
        return extra

    def adapt_evaluator(self, evaluator: Any) -> Any:
        """The evaluator as the training loop at hand wants it."""
        for plugin in self._working():
            for adapted in self._call(plugin, "proctor_adapt_evaluator", evaluator=evaluator):
                if adapted is not None:
                    evaluator = adapted
        return evaluator

    def run_started(self, run: Any) -> None:
        """Tells observers that a run began."""
        self._observe("proctor_run_started", run=run)

    def sample_finished(self, record: Mapping[str, Any]) -> None:
        """Tells observers of a sample."""
        self._observe("proctor_sample_finished", record=record)

    def evaluation_finished(self, result: Any) -> None:
        """Tells observers of an evaluator's result."""
        self._observe("proctor_evaluation_finished", result=result)

    def run_finished(self, run: Any) -> None:
        """Tells observers that a run ended."""
        self._observe("proctor_run_finished", run=run)

    def _observe(self, hook: str, **arguments: Any) -> None:
        if not getattr(self._pluggy.hook, hook).get_hookimpls():
            return
        for plugin in list(self._working()):
            try:
                self._call(plugin, hook, **arguments)
            except Exception as error:
                self._dropped.add(plugin.qualified_name)
                logger.warning(
                    "plugin %s: %s raised %s; it is not called again in this run",
                    plugin.qualified_name,
                    hook,
                    one_line(error),
                )


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    found: dict[tuple[str, str, str], importlib.metadata.EntryPoint] = {}
    for entry_point in importlib.metadata.entry_points(group=GROUP):
        dist = entry_point.dist
        name = re.sub(r"[-_.]+", "-", dist.metadata["Name"]).lower() if dist else ""
        found.setdefault((name, entry_point.name, entry_point.value), entry_point)
    return [found[key] for key in sorted(found)]


def _hook_names() -> list[str]:
    return [name for name in vars(hookspecs) if name.startswith("proctor_")]


def _core_version() -> str:
    from proctor import __version__

    return __version__


def _unmet_core_requirement(requirements: Sequence[str]) -> str | None:
    """The requirement on proctor that this version doesn't meet, if there is one."""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.name.lower() != "proctor" or (
            requirement.marker and not requirement.marker.evaluate({"extra": ""})
        ):
            continue
        if not requirement.specifier.contains(_core_version(), prereleases=True):
            return str(requirement)
    return None


def _register_core(registry: Registry) -> None:
    """The core's own names. It is no plugin: nothing can block it."""
    from proctor.renderers import BUILTIN

    registrar = Registrar("proctor", _core_version())
    registrar.evaluator("graded", "proctor.evaluators:GradedEvaluator")
    registrar.evaluator("suite", "proctor.evaluators:Suite")
    registrar.backend("tinker", "proctor.tinker_backend:TinkerBackend")
    for name, target in BUILTIN.items():
        registrar.renderer(name, target)
    for registration in registrar.registrations:
        registry.add(registration)


_active: PluginManager | None = None


def plugin_manager() -> PluginManager:
    """The plugin manager in force, made on first use.

    ``PROCTOR_PLUGINS`` names the only plugins to load, separated by commas; empty for none.
    """
    if _active is None:
        configure()
    assert _active is not None
    return _active


def configure(*, blocked: Iterable[str] = (), files: Iterable[Path | str] = ()) -> None:
    """Makes the plugin manager of this process anew.

    Args:
        blocked: Plugins not to load.
        files: Single-file plugins to load beside the installed ones.

    Raises:
        PluginError: A single-file plugin can't be loaded.
    """
    global _active
    chosen = os.environ.get("PROCTOR_PLUGINS")
    only = None if chosen is None else [n.strip() for n in chosen.split(",") if n.strip()]
    _active = PluginManager(blocked=blocked, files=files, only=only)


@contextmanager
def using_plugin_manager(manager: PluginManager) -> Iterator[PluginManager]:
    """Puts a plugin manager in force for a while."""
    global _active
    before, _active = _active, manager
    try:
        yield manager
    finally:
        _active = before
