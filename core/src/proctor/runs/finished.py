"""A run's folder, open for reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from proctor.errors import ConfigError
from proctor.runs.folder import GRADES, RESULTS, RUN, SAMPLES
from proctor.runs.folder_lock import is_held
from proctor.runs.report import RunReport

UNFINISHED = ("opening", "running")
"""What ``run.json`` says of a run that has not ended."""

Record: TypeAlias = dict[str, Any]
"""A JSON object of a run's folder, as whichever version of Proctor, or a person, wrote it."""


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

    @property
    def status(self) -> str:
        """How it ended; ``killed`` where no process writes it and nothing says that it ended."""
        said = str(self.record.get("status", "unfinished"))
        if said in UNFINISHED and not is_held(self.folder):
            return "killed"
        return said

    def results(self) -> Record | None:
        """What ``results.json`` holds; None where the run never got there."""
        path = self.folder / RESULTS
        return _record(path.read_bytes(), str(path)) if path.is_file() else None

    def report(self) -> RunReport | None:
        """How the run ended, as it was when it did; None where it never got there.

        Raises:
            ConfigError: ``results.json`` lacks something, as one of another version may.
        """
        results = self.results()
        if results is None:
            return None
        try:
            return RunReport.from_json(results, self.folder)
        except ConfigError as error:
            raise ConfigError(
                error.what,
                where=str(self.folder / RESULTS),
                fix="restore the file; without it, the samples are shown and no scores",
            ) from error

    def samples(self) -> Iterator[Record]:
        """The samples, in the order of their evaluators and rows; the last record of a key wins."""
        latest: dict[str, Record] = {}
        for record in _lines(self.folder / SAMPLES):
            latest[f"{record['evaluator']}:{record['key']}"] = record
        yield from sorted(latest.values(), key=_reading_order)

    def grades(self) -> dict[tuple[str, str], list[Record]]:
        """The grades of each (evaluator, sample key); the last record of a key wins."""
        latest: dict[tuple[str, str], Record] = {}
        for record in _lines(self.folder / GRADES):
            latest[record["evaluator"], f"{record['key']}:{record['grader']}"] = record
        grades: dict[tuple[str, str], list[Record]] = {}
        for record in latest.values():
            grades.setdefault((record["evaluator"], record["sample"]), []).append(record)
        return grades


def _reading_order(record: Record) -> tuple[str, int, int]:
    return record["evaluator"], record["row"], record["index"]


def _lines(path: Path) -> Iterator[Record]:
    """The whole records of a JSON lines file; a torn last line is no record."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield _record(line, f"{path}:{number}")


def _record(content: bytes, where: str) -> Record:
    try:
        record = json.loads(content)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise ConfigError(
            "no JSON object stands here", where=where, fix="restore the file, or take this line out"
        )
    return record
