"""A run on disk: a folder that a person can read with ``less`` and load with pandas."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from proctor.errors import ConfigError, RunError
from proctor.images import Image
from proctor.runs.folder_lock import FolderLock
from proctor.runs.json_lines import JsonLines, write_json, write_whole

SAMPLES = "samples.jsonl"

GRADES = "grades.jsonl"

RUN = "run.json"

RESULTS = "results.json"

IMAGES = "images"


class RunFolder:
    """The folder of one run, open for writing, and locked for all other processes until it closes.

    Args:
        folder: Where; made where there is none.
        keeps_images: Whether the images of samples are kept as files.

    Raises:
        ConfigError: It can't be made or written, holds another run, or another process writes it.
    """

    def __init__(self, folder: Path, *, keeps_images: bool = False) -> None:
        self.folder = folder
        self._keeps_images = keeps_images
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"can't make the folder {folder}: {error.strerror}",
                fix="choose another with --out",
            ) from error
        self._lock = FolderLock(folder)
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        self.record: dict[str, object] = {}

    def _open(self) -> None:
        folder = self.folder
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
        try:
            self._grades = JsonLines(folder / GRADES)
        except ConfigError:
            self._samples.close()
            raise

    def sample(self, record: Mapping[str, object]) -> None:
        """Appends a line to ``samples.jsonl``."""
        self._samples.append(record)

    def grade(self, record: Mapping[str, object]) -> None:
        """Appends a line to ``grades.jsonl``."""
        self._grades.append(record)

    def image(self, image: Image) -> str | None:
        """Writes an image to the folder's ``images``, once, under its digest.

        Returns:
            The file's path in the folder; None where images are not kept.

        Raises:
            RunError: It can't be written.
        """
        if not self._keeps_images:
            return None
        name = f"{IMAGES}/{image.digest.removeprefix('sha256:')}.{image.format}"
        file = self.folder / name
        if not file.exists():
            try:
                file.parent.mkdir(exist_ok=True)
            except OSError as error:
                raise RunError(f"can't make {file.parent}: {error.strerror}") from error
            write_whole(file, image.data)
        return name

    def describe(self, **entries: object) -> None:
        """Adds to ``run.json``."""
        self.record.update(entries)
        write_json(self.folder / RUN, self.record)

    def results(self, results: Mapping[str, object]) -> None:
        """Writes ``results.json``.

        Raises:
            RunError: It can't be written, or the run's other files are no longer there.
        """
        self._samples.check_in_place()
        self._grades.check_in_place()
        write_json(self.folder / RESULTS, results)

    def close(self) -> None:
        """Closes the files, and lets go of the folder."""
        self._samples.close()
        self._grades.close()
        self._lock.release()


def new_run_folder(parent: Path, label: str) -> Path:
    """Makes a folder for a new run, called by the time and the config's name.

    Raises:
        ConfigError: It can't be made.
    """
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-") or "run"
    return make_free_folder(parent, f"{now}-{stem}")


def make_free_folder(parent: Path, name: str) -> Path:
    """Makes a folder of a name, with a number behind it where the name is taken.

    To make it is to take the name: no other process gets the same.

    Raises:
        ConfigError: It can't be made.
    """
    for number in itertools.count(1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if parent.exists() and not parent.is_dir():
                raise ConfigError(f"{parent} is no folder", fix="choose another") from None
        except OSError as error:
            raise ConfigError(
                f"can't make the folder {folder}: {error.strerror}",
                fix="choose another with --out",
            ) from error
        else:
            return folder
    raise AssertionError("a count has no end")
