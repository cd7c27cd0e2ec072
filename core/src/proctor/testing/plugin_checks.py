"""The rules of installed plugins."""

from __future__ import annotations

from proctor.plugins.active import plugin_manager
from proctor.plugins.doctor import diagnose
from proctor.plugins.hook_checks import hook_names


def check_plugin(distribution: str) -> None:
    """Holds an installed plugin to what ``proctor plugins doctor`` looks for.

    It loads, fast and light; every component that it names can be imported, and no other plugin
    has the name. One that names none has another hook to do its work.

    Args:
        distribution: The distribution's name.

    Raises:
        AssertionError: It is not installed, does nothing, or something is wrong with it.
    """
    manager = plugin_manager()
    mine = [plugin for plugin in manager.plugins if plugin.distribution == distribution]
    others = ", ".join(sorted({plugin.distribution for plugin in manager.plugins}))
    assert mine, f"no plugin of {distribution} is installed; there are: {others or 'none'}"
    for plugin in mine:
        assert plugin.status != "blocked", f"{distribution} is left out"
    findings = [f for f in diagnose(manager) if f.plugin.distribution == distribution]
    assert not findings, f"{distribution}: " + "; ".join(str(f.problem) for f in findings)
    hooks = [hook for hook in hook_names() if hook != "proctor_register"]
    calls = [plugin for hook in hooks for plugin in manager.plugins_with(hook) if plugin in mine]
    registers = any(plugin.registrations for plugin in mine)
    assert registers or calls, f"{distribution} registers nothing"
