"""A sweep: the same evaluators on several checkpoints, one run each, and one table of all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from proctor.configs.loading import load_config
from proctor.configs.yaml_file import YamlFile
from proctor.errors import (
    ConfigError,
    DatasetError,
    PluginError,
    UnknownComponentError,
    reason_of,
)
from proctor.runs.folder import RUN
from proctor.runs.json_lines import write_json
from proctor.runs.offline import run_config
from proctor.runs.report import RunReport
from proctor.runs.run_options import RunOptions

SWEEP = "sweep.json"
MISTAKES = (ConfigError, DatasetError, PluginError, UnknownComponentError)
"""What no other checkpoint would make good."""
_WHICH = ("model_path", "training_run", "every_nth")


@runtime_checkable
class SweepingBackend(Protocol):
    """A backend whose options may name several checkpoints."""

    async def checkpoints(self) -> list[tuple[str, str]] | None:
        """The folder's name and the path of each; None where the options name one model."""


@dataclass(frozen=True, slots=True)
class CheckpointRun:
    """What became of one checkpoint.

    Attributes:
        name: Its name, which is its folder's.
        path: Its path on the server.
        folder: Its run's folder.
        report: How its run ended; None where it could not be run.
        error: Why it could not.
    """

    name: str
    path: str
    folder: Path
    report: RunReport | None = None
    error: str | None = None

    @property
    def status(self) -> str:
        """``complete``, ``failed`` or ``interrupted``."""
        return self.report.status if self.report else "failed"

    def to_json(self) -> dict[str, object]:
        """Its entry in ``sweep.json``."""
        results = self.report.to_json() if self.report else {"metrics": {}, "errors": {}}
        about = {"checkpoint": self.path, "name": self.name, "folder": str(self.folder)}
        return about | results | {"status": self.status, "error": self.error}


@dataclass(slots=True)
class SweepReport:
    """How a sweep ended.

    Attributes:
        folder: Its folder, with one folder for each checkpoint in it.
        runs: What became of each checkpoint, in their order.
        is_interrupted: Whether a person stopped it.
    """

    folder: Path
    runs: list[CheckpointRun] = field(default_factory=list)
    is_interrupted: bool = False

    @property
    def status(self) -> str:
        """``interrupted``, ``failed`` where any checkpoint did, or ``complete``."""
        if self.is_interrupted:
            return "interrupted"
        return "complete" if all(run.status == "complete" for run in self.runs) else "failed"

    @property
    def exit_code(self) -> int:
        """0 where every run is complete, 1 where one failed, 130 after an interrupt."""
        return {"complete": 0, "failed": 1, "interrupted": 130}[self.status]

    def to_json(self) -> dict[str, object]:
        """What ``sweep.json`` holds."""
        return {"status": self.status, "checkpoints": [run.to_json() for run in self.runs]}


@dataclass(frozen=True, slots=True)
class ChosenCheckpoints:
    """The checkpoints that a command line names in place of a config's.

    Attributes:
        model_paths: Checkpoints; one is one run, several are a sweep.
        training_run: A training run, all of whose checkpoints are meant.
        every_nth: Each n-th of them only.
    """

    model_paths: Sequence[str] = ()
    training_run: str | None = None
    every_nth: int | None = None

    def model(self, own: object) -> dict[str, object] | None:
        """A config's ``model`` with these in place of its own.

        Args:
            own: The ``model`` that the config has.

        Returns:
            The mapping; None where no checkpoint is named.

        Raises:
            ConfigError: The options contradict each other.
        """
        if self.model_paths and self.training_run is not None:
            raise ConfigError(
                "'--model-path' and '--training-run' exclude each other", fix="leave one out"
            )
        if not self.model_paths and self.training_run is None and self.every_nth is None:
            return None
        model: dict[str, object] = {"backend": "tinker"}
        if isinstance(own, Mapping) and own.get("backend") in ("tinker", "proctor/tinker"):
            model = dict(own)
        if self.model_paths or self.training_run is not None:
            model = {key: value for key, value in model.items() if key not in _WHICH}
        if self.model_paths:
            paths = list(self.model_paths)
            model["model_path"] = paths[0] if len(paths) == 1 else paths
        if self.training_run is not None:
            model["training_run"] = self.training_run
        if self.every_nth is not None:
            model["every_nth"] = self.every_nth
        return model


async def run_sweep(
    config: YamlFile,
    model: Mapping[str, object],
    checkpoints: Sequence[tuple[str, str]],
    folder: Path,
    *,
    overrides: Mapping[str, object],
    announce: Callable[[str], None],
    options: RunOptions,
) -> SweepReport:
    """Runs a config on each checkpoint; one that fails loses no other.

    Args:
        config: The config.
        model: Its ``model``, whose checkpoint is replaced.
        checkpoints: The folder's name and the path of each.
        folder: Where their folders go.
        overrides: Keys that replace the config's.
        announce: Told the name of each checkpoint before its run.
        options: How to run it.

    Raises:
        ProctorError: A mistake that no other checkpoint would make good.
    """
    for name, _ in checkpoints:
        if (folder / name / RUN).exists():
            raise ConfigError(
                f"{folder / name} holds a run already", fix="choose another folder with --out"
            )
    shared = {key: value for key, value in model.items() if key not in _WHICH}
    sweep = SweepReport(folder)
    for name, path in checkpoints:
        if options.stop.is_set:
            break
        try:
            one = load_config(config, **{**overrides, "model": {**shared, "model_path": path}})
            announce(name)
            report = await run_config(one, folder / name, options)
        except Exception as error:
            if isinstance(error, MISTAKES) and not sweep.runs:
                raise
            sweep.runs.append(CheckpointRun(name, path, folder / name, error=reason_of(error)))
        else:
            sweep.runs.append(CheckpointRun(name, path, folder / name, report))
    sweep.is_interrupted = options.stop.is_set
    if sweep.runs:
        await asyncio.to_thread(_write, sweep)
    return sweep


def _write(sweep: SweepReport) -> None:
    sweep.folder.mkdir(parents=True, exist_ok=True)
    write_json(sweep.folder / SWEEP, sweep.to_json())
