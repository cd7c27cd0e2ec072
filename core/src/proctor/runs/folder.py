"""A run on disk: a folder that a person can read with ``less`` and load with pandas."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path

from proctor.errors import ConfigError, RunError
from proctor.images import Image
from proctor.runs.json_lines import JsonLines, write_json, write_whole

SAMPLES = "samples.jsonl"

GRADES = "grades.jsonl"

RUN = "run.json"

RESULTS = "results.json"

IMAGES = "images"


class RunFolder:
    """The folder of one run, open for writing.

    Args:
        folder: Where; made where there is none.
        keeps_images: Whether the images of samples are kept as files.

    Raises:
        ConfigError: It can't be made or written, or holds another run.
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
        self.record: dict[str, object] = {}

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
        """Writes ``results.json``."""
        write_json(self.folder / RESULTS, results)

    def close(self) -> None:
        """Closes the files."""
        self._samples.close()
        self._grades.close()


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
