"""A run's records on their way to its folder, and to those that observe it."""

from __future__ import annotations
from collections.abc import Mapping
from typing import Any
from proctor.plugins.manager import PluginManager
from proctor.runs.folder import RunFolder


class ObservedRecords:
    """A record sink that also tells the plugins' observers."""

    def __init__(self, folder: RunFolder, manager: PluginManager) -> None:
        self._folder = folder
        self._manager = manager

    def sample(self, record: Mapping[str, Any]) -> None:
        """Writes a sample's line and passes it on."""
        self._folder.sample(record)
        self._manager.sample_finished(record)

    def grade(self, record: Mapping[str, Any]) -> None:
        """Writes a grade's line."""
        self._folder.grade(record)
