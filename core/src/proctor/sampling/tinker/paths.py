"""Paths of checkpoints on a Tinker server: ``tinker://RUN/sampler_weights/NAME``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proctor.errors import ConfigError

KINDS = ("sampler_weights", "weights")
"""What a path can name that can be sampled."""

_FORM = "tinker://RUN/sampler_weights/NAME"
_PART = re.compile(r"[^\s/?#]+")


@dataclass(frozen=True, slots=True)
class CheckpointPath:
    """A checkpoint's path, taken apart.

    Attributes:
        run: The training run.
        kind: ``sampler_weights`` or ``weights``.
        name: The checkpoint's name in its run.
    """

    run: str
    kind: str
    name: str

    @classmethod
    def parse(cls, text: str) -> CheckpointPath:
        """Reads a path; ``tinker://RUN/NAME``, as some servers return it, means sampler weights.

        Raises:
            ConfigError: It is no checkpoint's path.
        """
        scheme, separator, rest = text.partition("://")
        parts = rest.split("/")
        if not separator or scheme != "tinker" or not all(_PART.fullmatch(part) for part in parts):
            raise ConfigError(f"{text!r} is no checkpoint's path", fix=f"write it as {_FORM}")
        if len(parts) == 2 and parts[1] not in KINDS:
            return cls(parts[0], KINDS[0], parts[1])
        if len(parts) != 3 or parts[1] not in KINDS:
            raise ConfigError(f"{text!r} is no checkpoint's path", fix=f"write it as {_FORM}")
        return cls(*parts)

    def __str__(self) -> str:
        return f"tinker://{self.run}/{self.kind}/{self.name}"


def folder_names(paths: list[str]) -> list[str]:
    """A folder's name for each checkpoint: its own name, with its run's where two would be one.

    Args:
        paths: Paths that ``CheckpointPath.parse`` reads.
    """
    parsed = [CheckpointPath.parse(path) for path in paths]
    names = [_as_file_name(path.name) for path in parsed]
    if len(set(names)) < len(names):
        names = [_as_file_name(f"{path.run}-{path.kind}-{path.name}") for path in parsed]
    taken: dict[str, int] = {}
    for index, name in enumerate(names):
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            names[index] = f"{name}-{taken[name]}"
    return names


def _as_file_name(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]", "_", text).lstrip(".") or "_"
