"""The plugin manager of this process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from proctor.plugins.manager import PluginManager

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


def rediscover() -> None:
    """Has the plugins found anew when they are needed next."""
    global _active
    _active = None


@contextmanager
def using(manager: PluginManager | None = None) -> Iterator[None]:
    """Puts another plugin manager in force for a while; the one of before comes back after it.

    Args:
        manager: The manager; None to have the plugins found anew when they are needed.
    """
    global _active
    before, _active = _active, manager
    try:
        yield
    finally:
        _active = before
