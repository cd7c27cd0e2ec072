"""Inspect tasks: found by name, made, and checked before anything is sampled."""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai._eval.loader import create_file_tasks, load_file_tasks, load_tasks
from inspect_ai._util.entrypoints import ensure_entry_points
from inspect_ai._util.error import PrerequisiteError
from inspect_ai._util.registry import registry_find, registry_info, registry_lookup
from packaging.version import Version

from proctor import ConfigError, DatasetError, Example, UnknownComponentError
from proctor_inspect.model_api.generation import refuse_choices, refuse_unsupported

PACKAGES = {"inspect_evals": "inspect-evals"}
"""Packages of tasks whose name on PyPI is not their name in Inspect."""

TESTED = ("0.3.285", "0.4")
"""The versions of Inspect that this was written for: from the first, and below the second."""

SANDBOX_PROBES = {"docker": ("docker", "info"), "k8s": ("kubectl", "version")}
"""A command that succeeds where a kind of sandbox can be made."""


@dataclass(frozen=True, slots=True)
class LoadedTask:
    """A task that is ready to run.

    Attributes:
        label: What its metrics' names have: the task's name without its package.
        spec: How the config names it.
        task: The task.
    """

    label: str
    spec: str
    task: Task

    @property
    def is_named(self) -> bool:
        """Whether it was found by name, and not given as an object."""
        return self.spec != self.label

    def examples(self, stratum: str | None = None) -> list[Example]:
        """The rows of its dataset.

        Rows without an id get their number, as Inspect gives it to them.

        Args:
            stratum: The field of their metadata whose values are strata; None for ``stratum``.

        Raises:
            DatasetError: There are none, an id stands twice, or no row has the field.
        """
        if len(self.task.dataset) == 0:
            raise DatasetError("its dataset is empty", where=self.spec)
        rows: dict[str, Example] = {}
        for position, sample in enumerate(self.task.dataset):
            if sample.id is None:
                sample.id = position + 1
            known = str(sample.id)
            if known in rows:
                raise DatasetError(f"its dataset has the id {known!r} twice", where=self.spec)
            metadata = dict(sample.metadata or {})
            if stratum is not None:
                metadata["stratum"] = metadata.get(stratum)
            rows[known] = Example(known, "", metadata=metadata)
        if stratum is not None and all(row.metadata["stratum"] is None for row in rows.values()):
            fields = sorted(
                {field for row in rows.values() for field in row.metadata} - {"stratum"}
            )
            raise DatasetError(
                f"no sample has the metadata {stratum!r}",
                where=self.spec,
                fix=f"its fields: {', '.join(fields) or 'none'}",
            )
        return list(rows.values())


def check_version(version: str | None = None) -> None:
    """Refuses a version of Inspect whose private parts may be others.

    Args:
        version: The version; the installed one without it.

    Raises:
        ConfigError: It is not one of those that this was written for.
    """
    found = version or importlib.metadata.version("inspect-ai")
    if not Version(TESTED[0]) <= Version(found) < Version(TESTED[1]):
        raise ConfigError(
            f"inspect-ai {found} is not supported",
            fix=f"pip install 'inspect-ai>={TESTED[0]},<{TESTED[1]}'",
        )


def load(specs: Sequence[Any], task_args: Mapping[str, Any]) -> list[LoadedTask]:
    """Finds and makes tasks; their datasets are read, which may download them.

    Args:
        specs: Registered names (``inspect_evals/ifeval``), files (``./my_task.py`` or
            ``./my_task.py@capitals``), or ``Task`` objects.
        task_args: Arguments for those that take them.

    Raises:
        UnknownComponentError: There is no such task.
        DatasetError: A dataset can't be had.
        ConfigError: A task can't be made, or can't run on this machine.
    """
    check_version()
    loaded: list[LoadedTask] = []
    for spec in specs:
        tasks = [spec] if isinstance(spec, Task) else _make(str(spec), dict(task_args))
        for task in tasks:
            name = task.name.rsplit("/", 1)[-1]
            loaded.append(LoadedTask(name, spec if isinstance(spec, str) else name, task))
    _check_arguments(loaded, task_args)
    labels = [known.label for known in loaded]
    for known in loaded:
        if labels.count(known.label) > 1:
            raise ConfigError(
                f"two tasks are called {known.label!r}: their metrics would overwrite each other",
                fix="give them to two evaluators, each with a 'name'",
            )
        _check(known)
    return loaded


def _check_arguments(loaded: Sequence[LoadedTask], task_args: Mapping[str, Any]) -> None:
    """Refuses an argument that no task takes: Inspect only warns of it.

    Raises:
        ConfigError: There is one.
    """
    taken: set[str] = set()
    for task in loaded:
        function = registry_lookup("task", task.task.name) if task.is_named else None
        if callable(function):
            taken |= set(inspect.signature(function).parameters)
    unknown = [name for name in task_args if name not in taken]
    if unknown:
        known = ", ".join(sorted(taken)) or "none"
        raise ConfigError(
            f"no task takes the argument {unknown[0]!r}",
            where="task_args",
            fix=f"the arguments are {known}",
        )


def _make(spec: str, task_args: dict[str, Any]) -> list[Task]:
    is_file = ".py" in spec
    path, _, wanted = spec.partition("@")
    if is_file and not Path(path).is_file():
        raise UnknownComponentError(f"there is no file {path}", where=f"task {spec!r}")
    if not is_file and registry_lookup("task", spec) is None:
        raise _unknown(spec)
    try:
        if is_file:
            load_file_tasks(Path(path).absolute())
            tasks = create_file_tasks(Path(path), [wanted] if wanted else None, task_args)
        else:
            tasks = load_tasks([spec], task_args)
    except Exception as error:
        raise _refusal(spec, error) from error
    if not tasks:
        raise UnknownComponentError(
            f"{path} has no task {wanted!r}" if wanted else f"{path} has no task",
            where=f"task {spec!r}",
            fix="mark a function that returns a Task with @task",
        )
    return tasks


def _unknown(spec: str) -> UnknownComponentError:
    """Which package to install, or which names are near."""
    package, _, _ = spec.partition("/")
    entry_points = importlib.metadata.entry_points(group="inspect_ai")
    if "/" in spec and package not in {point.name for point in entry_points}:
        return UnknownComponentError(
            f"unknown task {spec!r}: no installed package has tasks called {package}/...",
            fix=f"pip install {PACKAGES.get(package, package)}",
        )
    ensure_entry_points(package if "/" in spec else None)
    known = {registry_info(task).name for task in registry_find(lambda info: info.type == "task")}
    near = difflib.get_close_matches(spec, known, n=3, cutoff=0.6)
    if not near:  # the name of a task without its package
        near = sorted(name for name in known if name.rsplit("/", 1)[-1] == spec)
    return UnknownComponentError(
        f"unknown task {spec!r}",
        fix=f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else "write PACKAGE/TASK, or FILE.py@TASK",
    )


def _refusal(spec: str, error: Exception) -> ConfigError | DatasetError | UnknownComponentError:
    """Why a task can't be made, in one line."""
    what = " ".join(str(getattr(error, "message", "") or error).split())
    name = type(error).__name__
    where = f"task {spec!r}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        return ConfigError(
            f"it needs the package {package}", where=where, fix=f"pip install {package}"
        )
    if isinstance(error, (AssertionError, ImportError, PrerequisiteError)) and "install" in what:
        return ConfigError(what, where=where)
    if isinstance(error, LookupError) or what.endswith("not found."):
        return UnknownComponentError(f"{name}: {what}", where=where)
    if isinstance(error, TypeError) and "argument" in what:
        return ConfigError(what, where=where, fix="mend 'task_args'")
    if isinstance(error, OSError) or name in _DATASET_ERRORS:
        return DatasetError(
            f"its dataset can't be downloaded: {what}",
            where=where,
            fix="connect to the hub, or download it there first and set HF_HOME to where it is",
        )
    return ConfigError(f"it can't be made: {name}: {what}", where=where)


_DATASET_ERRORS = frozenset(
    {
        "DatasetGenerationError",
        "DatasetNotFoundError",
        "GatedRepoError",
        "HfHubHTTPError",
        "HTTPStatusError",
        "LocalEntryNotFoundError",
        "OfflineModeIsEnabled",
        "RepositoryNotFoundError",
        "URLError",
    }
)
"""What datasets, huggingface_hub and HTTP clients raise where a download fails."""


def _check(loaded: LoadedTask) -> None:
    """Refuses a task that could only fail on this machine, or with a sampling client.

    Raises:
        ConfigError: It has no scorer, asks for what a sampling client can't do, or needs a sandbox
            that is not there.
    """
    task = loaded.task
    refuse_unsupported(task.config, "auto")
    refuse_choices(task.config)
    if not task.scorer:
        raise ConfigError("it has no scorer, so that nothing grades it", where=loaded.spec)
    kinds = {s.type for s in (task.sandbox, *(x.sandbox for x in task.dataset)) if s is not None}
    for kind in sorted(kinds & SANDBOX_PROBES.keys()):
        problem = _sandbox_problem(kind)
        if problem is not None:
            raise ConfigError(
                f"its tools run in a {kind} sandbox, and {problem}",
                where=loaded.spec,
                fix=f"start {kind} on this machine, or leave the task out",
            )


def _sandbox_problem(kind: str) -> str | None:
    """Why no sandbox of a kind can be made here; None where one can."""
    command = SANDBOX_PROBES[kind]
    if shutil.which(command[0]) is None:
        return f"there is no {command[0]} here"
    try:
        # the commands are the constants above
        probe = subprocess.run(command, capture_output=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return f"{' '.join(command)} gives no answer"
    return f"{' '.join(command)} fails" if probe.returncode else None
