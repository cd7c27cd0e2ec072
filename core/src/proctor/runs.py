"""A run on disk: a folder that a person can read with ``less`` and load with pandas."""

from __future__ import annotations

import datetime
import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from proctor.errors import ConfigError, RunError
from proctor.records import to_document, to_line

SAMPLES = "samples.jsonl"
GRADES = "grades.jsonl"
RUN = "run.json"
RESULTS = "results.json"


class JsonLines:
    """An append-only file of JSON lines, each written whole.

    A torn last line, left by a process that was killed, is cut off when the file is opened.

    Args:
        path: The file; made where there is none.

    Raises:
        ConfigError: It can't be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise ConfigError(
                f"can't write {path}: {error.strerror}", fix="choose another folder with --out"
            ) from error
        self._size = self._mend()

    def _mend(self) -> int:
        """Cuts off a last line without an end; returns the size of what is whole."""
        size = os.fstat(self._descriptor).st_size
        whole = size
        while whole > 0:
            start = max(0, whole - 65536)
            block = os.pread(self._descriptor, whole - start, start)
            end = block.rfind(b"\n")
            if end >= 0:
                whole = start + end + 1
                break
            whole = start
        if whole < size:
            os.ftruncate(self._descriptor, whole)
        return whole

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one record as one line.

        Raises:
            RunError: It can't be written, as on a full disk; what was there before is whole.
        """
        line = to_line(record)
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                more = os.write(self._descriptor, line[written:])
                if more == 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written += more
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            raise RunError(
                f"can't write {self.path}: {error.strerror}",
                fix="what was written is whole; make room and run again",
            ) from error
        self._size += len(line)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


class RunFolder:
    """The folder of one run, open for writing.

    Args:
        folder: Where; made where there is none.

    Raises:
        ConfigError: It can't be made or written, or holds another run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"can't make the folder {folder}: {error.strerror}",
                fix="choose another with --out",
            ) from error
        if (folder / RUN).exists():
            raise ConfigError(
                f"{folder} holds a run already", fix="choose another folder with --out"
            )
        for name in (SAMPLES, GRADES, RESULTS):
            file = folder / name
            if file.exists() and (not file.is_file() or file.stat().st_size):
                raise ConfigError(
                    f"{folder} has a {name} of its own, and no run",
                    fix="choose another folder with --out",
                )
        self._samples = JsonLines(folder / SAMPLES)
        self._grades = JsonLines(folder / GRADES)
        self.record: dict[str, Any] = {}

    def sample(self, record: Mapping[str, Any]) -> None:
        """Appends a line to ``samples.jsonl``."""
        self._samples.append(record)

    def grade(self, record: Mapping[str, Any]) -> None:
        """Appends a line to ``grades.jsonl``."""
        self._grades.append(record)

    def describe(self, **entries: Any) -> None:
        """Adds to ``run.json``."""
        self.record.update(entries)
        write_json(self.folder / RUN, self.record)

    def results(self, results: Mapping[str, Any]) -> None:
        """Writes ``results.json``."""
        write_json(self.folder / RESULTS, results)

    def close(self) -> None:
        """Closes the files."""
        self._samples.close()
        self._grades.close()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON file whole or not at all.

    Raises:
        RunError: It can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(to_document(value), encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(
            f"can't write {path}: {error.strerror}", fix="make room, or choose another folder"
        ) from error


def new_run_folder(parent: Path, label: str) -> Path:
    """A folder name for a new run: the time and the config's name, never one that is taken."""
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-") or "run"
    return free_folder(parent, f"{now}-{stem}")


def free_folder(parent: Path, name: str) -> Path:
    """A folder of a name, with a number behind it where the name is taken."""
    folder = parent / name
    number = 2
    while folder.exists():
        folder = parent / f"{name}-{number}"
        number += 1
    return folder


class FinishedRun:
    """A run's folder, open for reading.

    Args:
        folder: The folder.

    Raises:
        ConfigError: There is no run in it, or a file of it was damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / RUN).is_file():
            raise ConfigError(
                f"{folder} is no run's folder: it has no {RUN}",
                fix="give the folder that 'proctor run' printed",
            )
        self.record = _record((folder / RUN).read_bytes(), str(folder / RUN))

    def results(self) -> dict[str, Any] | None:
        """What ``results.json`` holds; None where the run never got there."""
        path = self.folder / RESULTS
        return _record(path.read_bytes(), str(path)) if path.is_file() else None

    def samples(self) -> Iterator[dict[str, Any]]:
        """The samples, in the order of their evaluators and rows; the last record of a key wins."""
        latest: dict[str, dict[str, Any]] = {}
        for record in _lines(self.folder / SAMPLES):
            latest[f"{record['evaluator']}:{record['key']}"] = record
        yield from sorted(latest.values(), key=_reading_order)

    def grades(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """The grades of each (evaluator, sample key); the last record of a key wins."""
        latest: dict[tuple[str, str], dict[str, Any]] = {}
        for record in _lines(self.folder / GRADES):
            latest[record["evaluator"], f"{record['key']}:{record['grader']}"] = record
        grades: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for record in latest.values():
            grades.setdefault((record["evaluator"], record["sample"]), []).append(record)
        return grades


def _reading_order(record: Mapping[str, Any]) -> tuple[str, int, int]:
    return record["evaluator"], record["row"], record["index"]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole records of a JSON lines file; a torn last line is no record."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield _record(line, f"{path}:{number}")


def _record(content: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(content)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise ConfigError(
            "no JSON object stands here", where=where, fix="restore the file, or take this line out"
        )
    return record
