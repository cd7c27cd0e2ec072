"""Graders that plugins add to every evaluator of a config that asks for them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from proctor.components.build import Made, build
from proctor.components.fingerprints import describe
from proctor.components.place import Place, Written
from proctor.errors import ConfigError
from proctor.evaluators.graded import GradedEvaluator
from proctor.plugins.active import plugin_manager
from proctor.plugins.manager import PluginManager
from proctor.plugins.plugin import Plugin

HOOK = "proctor_extra_graders"


def chosen_plugins(names: Sequence[str], place: Place, manager: PluginManager) -> list[Plugin]:
    """The plugins that a config's ``extra_graders`` names.

    An installed plugin adds nothing by itself: the same config has to give the same metrics
    wherever it runs.

    Raises:
        ConfigError: No working plugin of that name adds graders, or two have the name.
    """
    able = manager.plugins_with(HOOK)
    chosen: list[Plugin] = []
    for index, name in enumerate(names):
        found = [plugin for plugin in able if name in plugin.names]
        if len(found) == 1:
            if found[0] not in chosen:
                chosen.append(found[0])
            continue
        if found:
            owners = " and ".join(plugin.qualified_name for plugin in found)
            what, fix = f"plugin {name!r} is ambiguous: {owners}", "write the one you mean in full"
        else:
            what, fix = _explained(name, able, manager)
        raise ConfigError(what, where=str(place / index), fix=fix)
    return chosen


def _explained(name: str, able: Sequence[Plugin], manager: PluginManager) -> tuple[str, str]:
    for plugin in manager.plugins:
        if name in plugin.names:
            if plugin.status == "broken":
                return f"plugin {name!r} is broken", "; ".join(map(str, plugin.problems))
            if plugin.status == "blocked":
                return f"plugin {name!r} is left out", "see --no-plugin and PROCTOR_PLUGINS"
            return f"plugin {name!r} adds no graders", f"it has no hook {HOOK}"
    known = [plugin.name for plugin in able]
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean {near[0]!r}?" if near else f"those that do: {', '.join(known) or 'none'}"
    return f"no plugin {name!r} that adds graders", fix


def with_extra_graders(
    evaluator: GradedEvaluator, name: str, spec: Written, plugins: Sequence[Plugin]
) -> GradedEvaluator:
    """The evaluator with the plugins' graders after its own, whose metric names stay as they were.

    Args:
        evaluator: The evaluator; it is not changed.
        name: What it is called.
        spec: Its mapping, or the evaluator itself where Python code made it.
        plugins: Those to ask.

    Raises:
        PluginError: A plugin raised.
        ProctorError: A plugin's spec describes no grader.
    """
    extra: list[Made] = []
    for plugin in plugins:
        mapping = spec if isinstance(spec, Mapping) else describe(evaluator)
        added = plugin_manager().extra_graders(plugin, {**mapping, "name": name})
        place = Place(plugin.file, (plugin.qualified_name, HOOK))
        extra += [build("grader", grader, place / index) for index, grader in enumerate(added)]
    if not extra:
        return evaluator
    return evaluator.model_copy(update={"graders": [*evaluator.graders, *extra]})
