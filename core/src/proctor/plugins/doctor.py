"""What is wrong with the installed plugins, and what to do about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proctor.errors import PluginError
from proctor.plugins.discovery import missing_requirements
from proctor.plugins.manager import HEAVY_PACKAGES, PluginManager
from proctor.plugins.plugin import Plugin, Problem, Registration

SLOW_SECONDS = 0.1
"""An entry module that takes longer is slow: every command pays for it, ``--help`` too."""

CHILD = """
import json, sys, time
sys.path[:], modules, heavy = json.loads(sys.stdin.read())
import proctor.plugins.manager
costs = {}
for module in modules:
    before, started = set(sys.modules), time.perf_counter()
    try:
        __import__(module)
    except BaseException:
        pass
    loaded = {name.split(".")[0] for name in set(sys.modules) - before}
    costs[module] = [time.perf_counter() - started, [name for name in heavy if name in loaded]]
sys.__stdout__.write("\\n" + json.dumps(costs))
"""


@dataclass(frozen=True, slots=True)
class PluginFinding:
    """A problem of one plugin."""

    plugin: Plugin
    problem: Problem


@dataclass(slots=True)
class ImportCost:
    """What importing one module takes in a process that has loaded no other plugin."""

    seconds: float = 0.0
    heavy: tuple[str, ...] = ()


def diagnose(manager: PluginManager) -> list[PluginFinding]:
    """Every problem of every plugin that was not left out on purpose, plugin by plugin.

    Component modules are imported, as ``proctor list`` does.
    """
    plugins = [plugin for plugin in manager.plugins if plugin.status != "blocked"]
    costs = _costs(plugins)
    findings = []
    for plugin in plugins:
        problems = [*plugin.problems]
        if plugin.is_working:
            problems += _import_problems(plugin) or _missing(plugin)
            problems += _hidden_commands(plugin)
        problems += _cost_problems(plugin, costs.get(plugin.qualified_name, {}))
        findings += [PluginFinding(plugin, problem) for problem in problems]
    return findings


def _import_problems(plugin: Plugin) -> list[Problem]:
    problems = []
    for registration in plugin.registrations:
        try:
            registration.load()
        except PluginError as error:
            problems.append(Problem(error.what, error.fix or f"mend {plugin.distribution}"))
    return problems


def _missing(plugin: Plugin) -> list[Problem]:
    return [
        Problem(f"it needs {line}, which is not installed", f"pip install {line!r}")
        for line in missing_requirements(plugin.distribution)
    ]


def _hidden_commands(plugin: Plugin) -> Iterator[Problem]:
    from proctor.plugins.core_names import COMMANDS

    for registration in plugin.registrations:
        if registration.kind == "command" and registration.name in COMMANDS:
            yield Problem(
                f"command {registration.name!r} is the core's own, and hides the plugin's",
                f"name it differently in {plugin.distribution}",
            )


def _cost_problems(plugin: Plugin, costs: dict[str, ImportCost]) -> Iterator[Problem]:
    entry = costs.pop(_entry_module(plugin), ImportCost())
    if entry.heavy:
        yield Problem(
            f"its import pulls in {', '.join(entry.heavy)}, which every command pays for",
            "name components as 'module:Class' in the entry module, and import it when one opens",
        )
    if entry.seconds > SLOW_SECONDS:
        yield Problem(
            f"its import takes {entry.seconds * 1000:.0f} ms, which every command pays for",
            "import in the entry module nothing but proctor.hookimpl",
        )
    for module, cost in costs.items():
        if cost.heavy:
            yield Problem(
                f"importing {module} pulls in {', '.join(cost.heavy)}, and 'proctor list' with it",
                "import it in the component's open()",
            )


def _entry_module(plugin: Plugin) -> str:
    return (plugin.target or "").partition(":")[0]


def _costs(plugins: Sequence[Plugin]) -> dict[str, dict[str, ImportCost]]:
    """What importing each plugin's modules takes, by plugin and module.

    The first plugin of a process that imports a package hides it from the next, and a busy machine
    makes any import slow once: so where one looks slow or heavy here, all are measured once more,
    each in a process of its own.
    """
    seen = set(sys.modules)
    suspects = False
    for plugin in plugins:
        suspects |= bool(plugin.heavy) or plugin.seconds > SLOW_SECONDS
        for registration in plugin.registrations:
            _try_to_load(registration)
    loaded = {name.split(".")[0] for name in set(sys.modules) - seen}
    if not suspects and not loaded & set(HEAVY_PACKAGES):
        return {}
    return {p.qualified_name: import_costs(_modules(p)) for p in plugins if p.target}


def _try_to_load(registration: Registration) -> None:
    try:
        registration.load()
    except PluginError:
        return  # _import_problems reports it


def _modules(plugin: Plugin) -> list[str]:
    targets = [r.target for r in plugin.registrations if isinstance(r.target, str)]
    modules = [_entry_module(plugin), *(target.partition(":")[0] for target in targets)]
    return list(dict.fromkeys(module for module in modules if module))


def import_costs(modules: Sequence[str]) -> dict[str, ImportCost]:
    """What importing modules takes, one after the other, in a fresh process that has the core."""
    child = subprocess.run(  # noqa: S603, our own code, without a shell
        [sys.executable, "-P", "-c", CHILD],
        input=json.dumps([sys.path, list(modules), HEAVY_PACKAGES]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    try:
        costs = json.loads(child.stdout.rpartition("\n")[2])
    except json.JSONDecodeError:  # the plugin ended the process; it is reported as broken
        return {}
    return {module: ImportCost(seconds, tuple(heavy)) for module, (seconds, heavy) in costs.items()}
