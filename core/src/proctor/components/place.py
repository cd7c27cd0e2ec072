"""Where a value of a config stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Written: TypeAlias = Any  # what a person wrote in a config: text, numbers, lists, mappings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: a file and the path of keys to it.

    Attributes:
        file: The config's file; None for values given in Python.
        keys: The keys and indices that lead to the value.
        lines: The line of each path of keys, counted from 1.
        elsewhere: The places of keys that come from somewhere else, such as a preset.
    """

    file: Path | None = None
    keys: tuple[str | int, ...] = ()
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    elsewhere: Mapping[str | int, Place] = field(default_factory=dict)

    def __truediv__(self, key: str | int) -> Place:
        return self.elsewhere.get(key) or Place(self.file, (*self.keys, key), self.lines)

    def over(self, other: Place, keys: Iterable[str | int]) -> Place:
        """This place, but with some keys that stand in another."""
        moved = {**self.elsewhere, **{key: other / key for key in keys}}
        return Place(self.file, self.keys, self.lines, moved)

    def anchored(self, path: str | Path) -> Path:
        """A path, relative ones read against the file's folder."""
        path = Path(path).expanduser()
        return path if path.is_absolute() or self.folder is None else self.folder / path

    def __str__(self) -> str:
        dotted = ""
        for key in self.keys:
            dotted += f"[{key}]" if isinstance(key, int) else f".{key}" if dotted else str(key)
        if self.file is None:
            return dotted
        keys = self.keys
        while keys and keys not in self.lines:
            keys = keys[:-1]
        line = f":{self.lines[keys]}" if keys in self.lines else ""
        return f"{self.file}{line}" + (f": {dotted}" if dotted else "")

    @property
    def folder(self) -> Path | None:
        """The folder against which relative paths are read; None where there is no file."""
        return self.file.parent if self.file else None
