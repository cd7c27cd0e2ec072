"""A folder in which plugins are found as if pip had installed them there."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from proctor.plugins import active


class PluginFolder:
    """Makes plugins discoverable without pip, for this process or for another.

    As a context manager it puts the folder on this process's path; ``environment`` does the same
    for a subprocess. The plugins that are installed for real are found beside those in the folder.

    Args:
        path: The folder; it has to exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._exits = contextlib.ExitStack()

    def add(
        self,
        source: str,
        *,
        name: str = "house",
        distribution: str = "house-evals",
        version: str = "1.0",
        requires: Sequence[str] = (),
        modules: Mapping[str, str] | None = None,
    ) -> None:
        """Writes a plugin: one module with its hooks, and the metadata of a distribution.

        Args:
            source: The source of the entry module, which is called as the distribution is.
            name: The entry point's name.
            distribution: The distribution's name.
            version: Its version.
            requires: What it requires, as in ``dependencies``.
            modules: More files: their paths in the folder, and their text.
        """
        module = re.sub(r"[-.]", "_", distribution)
        for file, text in {f"{module}.py": source, **(modules or {})}.items():
            target = self.path / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        info = self.path / f"{module}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        fields = [f"Name: {distribution}", f"Version: {version}"]
        fields += [f"Requires-Dist: {line}" for line in requires]
        metadata = "\n".join(["Metadata-Version: 2.1", *fields, ""])
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        entry_points = f"[proctor]\n{name} = {module}\n"
        (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
        importlib.invalidate_caches()
        if str(self.path) in sys.path:
            active.rediscover()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a subprocess that finds the folder's plugins."""
        paths = [str(self.path), os.environ.get("PYTHONPATH", "")]
        return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}

    def __enter__(self) -> Self:
        sys.path.insert(0, str(self.path))
        importlib.invalidate_caches()
        self._exits.enter_context(active.using())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exits.close()
        sys.path.remove(str(self.path))
        folder = str(self.path) + os.sep
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(folder):
                del sys.modules[name]
        importlib.invalidate_caches()
