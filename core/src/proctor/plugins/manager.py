"""Plugins: found, loaded one by one, kept apart from each other's mistakes."""

from __future__ import annotations

import copy
import difflib
import hashlib
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import pluggy

from proctor.errors import PluginError, one_line
from proctor.foreign import called
from proctor.plugins import core_names, hookspecs
from proctor.plugins.discovery import (
    GROUP,
    InstalledPlugin,
    installed_plugins,
    unmet_core_requirement,
)
from proctor.plugins.hook_arguments import CalledEvaluator, ObservedResult, ObservedRun
from proctor.plugins.hook_checks import check_hooks, unknown_hook
from proctor.plugins.importing import Code, import_file, import_remedy, module_of
from proctor.plugins.plugin import Plugin, Registration
from proctor.plugins.registrar import Registrar
from proctor.plugins.registry import Registry
from proctor.version import __version__

logger = logging.getLogger("proctor")

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

Returned: TypeAlias = Any  # what a plugin's hook returned
Argument = TypeVar("Argument")


class PluginManager:
    """Finds and loads plugins, and calls their hooks.

    It is written around ``importlib.metadata``, not pluggy's own loader, which stops at the first
    broken plugin and drops a second distribution with the same entry-point name without a word.

    Args:
        blocked: Plugins not to load: entry-point names, distributions or ``distribution/name``.
        files: Single-file plugins to load beside the installed ones.
        only: The only plugins to load; None for all that are installed.

    Raises:
        PluginError: A single-file plugin can't be loaded, or a plugin that was named is not there.
    """

    def __init__(
        self,
        *,
        blocked: Iterable[str] = (),
        files: Iterable[Path | str] = (),
        only: Iterable[str] | None = None,
    ) -> None:
        self.plugins: list[Plugin] = []
        self.registry = Registry(self.plugins)
        self._pluggy = pluggy.PluginManager(GROUP)
        self._pluggy.add_hookspecs(hookspecs)
        self._dropped: set[str] = set()
        self._own_runs: dict[str, tuple[ObservedRun | None, ObservedRun]] = {}
        self._blocked = set(blocked)
        self._only = None if only is None else set(only)
        _register_core(self.registry)
        for installed in installed_plugins():
            self._load_installed(installed)
        for file in files:
            self.load_file(Path(file))
        self._check_chosen()
        self._find_conflicts()

    def load_file(self, path: Path) -> None:
        """Loads a single-file plugin.

        Raises:
            PluginError: It can't be imported; unlike an installed plugin, it was asked for.
        """
        path = path.expanduser().resolve()
        if any(plugin.file == path for plugin in self.plugins):
            return
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        except OSError as error:
            raise PluginError(f"can't read the plugin {path}: {one_line(error)}") from error
        plugin = Plugin(path.stem, path.name, f"sha256:{content}", file=path)
        twin = next((p for p in self.plugins if p.qualified_name == plugin.qualified_name), None)
        if twin:
            raise PluginError(
                f"the plugins {twin.file or twin.qualified_name} and {path} have one name",
                fix="rename one of the files",
            )
        self.plugins.append(plugin)
        self._load(plugin, lambda: import_file(path), source=plugin.version)
        if plugin.status == "broken":
            self.plugins.remove(plugin)
            problem = plugin.problems[0]
            raise PluginError(problem.what, where=str(path), fix=problem.remedy)
        self._find_conflicts()

    def _load_installed(self, installed: InstalledPlugin) -> None:
        plugin = Plugin(
            installed.name,
            installed.distribution,
            installed.version,
            target=installed.entry_point.value,
        )
        self.plugins.append(plugin)
        is_chosen = self._only is None or plugin.names & self._only
        if plugin.names & self._blocked or not is_chosen:
            plugin.status = "blocked"
            return
        unmet = unmet_core_requirement(installed.requirements)
        if unmet:
            plugin.fail(
                f"needs {unmet}, and this is proctor {__version__}",
                f"pip install --upgrade {unmet!r}, or another version of {plugin.distribution}",
            )
            return
        self._load(plugin, installed.entry_point.load)

    def _load(self, plugin: Plugin, load: Callable[[], object], source: str | None = None) -> None:
        started = time.perf_counter()
        before = set(sys.modules)
        try:
            module = load()
            self._check_module(module)
            self._pluggy.register(module, name=plugin.qualified_name)
            self._check_hooks(module)
            file = getattr(module, "__file__", None)
            registrar = Registrar(
                plugin.distribution, plugin.version, source, Path(file) if file else None
            )
            self._call(plugin, "proctor_register", registry=registrar)
        except (Exception, SystemExit) as error:
            if self._pluggy.has_plugin(plugin.qualified_name):
                self._pluggy.unregister(name=plugin.qualified_name)
            if isinstance(error, PluginError):
                remedy = error.fix or f"mend {plugin.distribution}, or leave it out"
                plugin.fail(error.what, remedy)
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

    def _check_module(self, module: object) -> None:
        other = self._pluggy.get_name(module)
        if other:
            raise PluginError(f"its module is that of {other}", fix="uninstall one of them")
        check_hooks(module)

    def _check_hooks(self, module: object) -> None:
        for caller in self._pluggy.get_hookcallers(module) or []:
            if not caller.has_spec():
                raise unknown_hook(caller.name)

    def _check_chosen(self) -> None:
        """Refuses a name in --no-plugin or PROCTOR_PLUGINS that no plugin has."""
        names = sorted({name for plugin in self.plugins for name in plugin.names})
        for source, chosen in (("--no-plugin", self._blocked), ("PROCTOR_PLUGINS", self._only)):
            for name in sorted(set(chosen or ()) - set(names)):
                near = difflib.get_close_matches(name, names, n=1)
                known = ", ".join(sorted(p.name for p in self.plugins)) or "none"
                fix = f"did you mean {near[0]!r}?" if near else f"plugins: {known}"
                raise PluginError(f"no plugin {name!r}", where=source, fix=fix)

    def _find_conflicts(self) -> None:
        working = [plugin for plugin in self.plugins if plugin.is_working]
        for plugin in working:
            plugin.status, plugin.problems = "ok", []
        for plugin in working:
            twins = [p for p in working if p is not plugin and p.name == plugin.name]
            if twins:
                others = ", ".join(p.distribution for p in twins)
                plugin.clash(
                    f"the plugin name {plugin.name!r} is also that of {others}",
                    f"both work; to leave one out, write {plugin.qualified_name!r}",
                )
        for group in self.registry.conflicts():
            for plugin in working:
                for mine in (r for r in group if r in plugin.registrations):
                    others = ", ".join(r.qualified_name for r in group if r is not mine)
                    plugin.clash(
                        f"{mine.kind} {mine.name!r} is also {others}",
                        f"write {mine.qualified_name!r}, or leave one out with --no-plugin",
                    )

    def _call(self, plugin: Plugin, hook: str, **arguments: object) -> list[Returned]:
        """Calls one hook of one plugin alone, so that its result and its error are its own."""
        others = [
            module
            for name, module in self._pluggy.list_name_plugin()
            if name != plugin.qualified_name and module is not None
        ]
        caller = self._pluggy.subset_hook_caller(hook, remove_plugins=others)
        return list(called(lambda: caller(**arguments)))

    def _working(self) -> Iterator[Plugin]:
        for plugin in self.plugins:
            if plugin.is_working and plugin.qualified_name not in self._dropped:
                yield plugin

    def plugins_with(self, hook: str) -> list[Plugin]:
        """The working plugins that implement a hook."""
        owners = {impl.plugin_name for impl in getattr(self._pluggy.hook, hook).get_hookimpls()}
        return [p for p in self.plugins if p.is_working and p.qualified_name in owners]

    def registration_of(self, code: Code) -> Registration | None:
        """The name that a plugin, or the core, gave to a class or a function."""
        return self.registry.naming(code, self.distribution_of(module_of(code)))

    def distribution_of(self, module: str) -> str | None:
        """The distribution with a plugin, or the core, that a module is part of; None for others.

        Its packages are those that its entry point and its registered names stand in.
        """
        owners = {package: p.distribution for p in self.plugins for package in p.packages}
        owners["proctor"] = "proctor"
        parts = module.split(".")
        packages = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((owners[package] for package in packages if package in owners), None)

    def extra_graders(self, plugin: Plugin, evaluator_spec: Mapping[str, object]) -> list[object]:
        """Specs of graders that a plugin adds to an evaluator.

        Raises:
            PluginError: The plugin raised; a grader may not go missing unseen.
        """
        try:
            results = self._call(plugin, "proctor_extra_graders", evaluator_spec=evaluator_spec)
        except Exception as error:
            raise PluginError(
                f"proctor_extra_graders raised {one_line(error)}",
                where=plugin.qualified_name,
                fix="mend it, or take it out of the config's extra_graders",
            ) from error
        return [spec for result in results for spec in result or []]

    def adapt_evaluator(self, evaluator: CalledEvaluator) -> CalledEvaluator:
        """The evaluator as the training loop at hand wants it.

        Raises:
            PluginError: A plugin raised.
        """
        for plugin in self._working():
            for adapted in self._ask(plugin, "proctor_adapt_evaluator", evaluator=evaluator):
                evaluator = adapted
        return evaluator

    def load_tokenizer(self, model: str) -> Returned | None:
        """The tokenizer that a plugin has for a model; None where none has.

        Raises:
            PluginError: A plugin raised.
        """
        for plugin in self.plugins_with("proctor_load_tokenizer"):
            for tokenizer in self._ask(plugin, "proctor_load_tokenizer", model=model):
                return tokenizer
        return None

    def _ask(self, plugin: Plugin, hook: str, **arguments: object) -> list[Returned]:
        """What one hook of one plugin returns, if anything.

        Raises:
            PluginError: It raised.
        """
        try:
            results = self._call(plugin, hook, **arguments)
        except Exception as error:
            raise PluginError(
                f"{hook} raised {one_line(error)}",
                where=plugin.qualified_name,
                fix=f"mend it, or --no-plugin {plugin.qualified_name}",
            ) from error
        return [result for result in results if result is not None]

    def run_started(self, run: ObservedRun) -> None:
        """Tells observers that a run began."""
        self._observe("proctor_run_started", run=run)

    def sample_finished(self, record: Mapping[str, object], run: ObservedRun) -> None:
        """Tells observers of a sample."""
        self._observe("proctor_sample_finished", record=record, run=run)

    def evaluation_finished(self, result: ObservedResult, run: ObservedRun) -> None:
        """Tells observers of an evaluator's result."""
        self._observe("proctor_evaluation_finished", result=result, run=run)

    def run_finished(self, run: ObservedRun) -> None:
        """Tells observers that a run ended."""
        self._observe("proctor_run_finished", run=run)

    def _observe(self, hook: str, run: ObservedRun, **arguments: object) -> None:
        """Tells each observer, with copies of its own of everything that can be changed."""
        observers = {i.plugin_name for i in getattr(self._pluggy.hook, hook).get_hookimpls()}
        for plugin in [p for p in self._working() if p.qualified_name in observers]:
            try:
                own = {name: _own(argument) for name, argument in arguments.items()}
                self._call(plugin, hook, run=self._own_run(plugin, run), **own)
            except Exception as error:
                self._dropped.add(plugin.qualified_name)
                logger.warning(
                    "plugin %s: %s raised %s; it is not called again in this run",
                    plugin.qualified_name,
                    hook,
                    one_line(error),
                )

    def _own_run(self, plugin: Plugin, run: ObservedRun) -> ObservedRun:
        """A plugin's own copy of a run: one for all its samples, since ``run.json`` can be long."""
        told, own = self._own_runs.get(plugin.qualified_name, (None, run))
        if told is not run:
            own = _own(run)
            self._own_runs[plugin.qualified_name] = (run, own)
        return own


def _own(argument: Argument) -> Argument:
    """A copy, down to what can't be copied: a lock in a row's metadata is the only one there is."""
    whole: object = argument
    copied: object
    if type(whole) is dict:
        copied = {key: _own(value) for key, value in whole.items()}
    elif type(whole) is list:
        copied = [_own(value) for value in whole]
    else:
        try:
            copied = copy.deepcopy(whole)
        except Exception:
            copied = whole
    return cast(Argument, copied)


def _register_core(registry: Registry) -> None:
    """The core's own names. It is no plugin: nothing can block it."""
    registrar = Registrar("proctor", __version__)
    registrar.evaluator("graded", "proctor.evaluators.graded:GradedEvaluator")
    registrar.evaluator("nll", "proctor.evaluators.nll:NLL")
    registrar.evaluator("choice_logprob", "proctor.evaluators.choice_logprob:ChoiceLogprob")
    registrar.evaluator("suite", "proctor.configs.suites:Suite")
    registrar.backend("tinker", "proctor.sampling.tinker.backend:TinkerBackend")
    for name, target in core_names.BUILTIN.items():
        registrar.renderer(name, target)
    for registration in registrar.registrations:
        registry.add(registration)
