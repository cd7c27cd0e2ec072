"""The huggingface dataset."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.labels import label_reading
from proctor_datasets.rows import RowDataset

_REPO = r"^[A-Za-z0-9][\w.-]*(/[\w.-]+)?$"
_SAVED = ("dataset_dict.json", "state.json")
"""What marks a folder that ``save_to_disk`` wrote."""

_T = TypeVar("_T")


class HuggingFace(RowDataset):
    """A split of a dataset of the Hugging Face hub, or of a folder in one of its layouts.

    Class labels are read as their names, hidden ones as no label. Code that a dataset brings is
    never run.
    """

    version: ClassVar[int] = 2

    repo: str | None = Field(default=None, pattern=_REPO)
    """The dataset's id on the hub, such as openai/gsm8k."""
    folder: Path | None = None
    """A folder, against the config's folder: of data files, or one that save_to_disk wrote."""
    config_name: str | None = None
    """Which of the dataset's configurations, or subsets."""
    split: str = "test"
    """Which split."""
    data_files: str | list[str] | None = None
    """Paths in the repository or folder, with wildcards; without them, its own layout says."""
    revision: str | None = None
    """A commit, tag or branch; the run records the commit that it stood for."""
    streaming: bool = False
    """Read rows as they arrive from the hub, and store nothing."""

    _opened: Any = PrivateAttr(default=None)
    _provenance: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if (self.repo is None) == (self.folder is None):
            raise ValueError("give 'repo', an id on the hub, or 'folder', and not both")
        if self.revision is not None and self.repo is None:
            raise ValueError("a 'revision' goes with a 'repo'")
        return self

    @property
    def is_cheap_to_read(self) -> bool:  # type: ignore[override]  # an option decides it here
        """Whether a full pass is cheap: not where it downloads everything anew."""
        return not (self.streaming and self.repo is not None)

    def read_rows(self) -> Iterator[tuple[str, Row]]:
        """Yields each row, class labels as names.

        Raises:
            DatasetError: The hub can't be reached, has no such dataset or split, or a label has no
                name.
        """
        opened = self._open_once()
        readings = {
            name: reading
            for name, feature in (opened.features or {}).items()
            if (reading := label_reading(feature)) is not None
        }
        rows = iter(opened)
        number = 0
        while True:
            row = self._attempt(lambda: next(rows, None))
            if row is None:
                return
            number += 1
            where = f"{self.source()} row {number}"
            for name, reading in readings.items():
                row[name] = reading(row[name], where)
            yield where, row

    def folder_of_images(self) -> Path | None:
        """The given folder, or that of the data."""
        return self.image_folder or self.folder

    def source(self) -> str:
        """The id or folder, with the split."""
        return f"{self.repo or self.folder} ({self.split})"

    def provenance(self) -> dict[str, str]:
        """The hub's commit, or the files of a folder with their SHA-256."""
        self._open_once()
        return dict(self._provenance)

    def without_target(self) -> str:
        """Another split may have what this one hides."""
        return (
            f"the labels of the split {self.split!r} are hidden or missing: give a 'split' that "
            "has them, such as validation"
        )

    async def close(self) -> None:
        """Lets go of the table."""
        self._opened = None

    def _open_once(self) -> Any:
        if self._opened is None:
            self._opened = _with_images_unread(self._attempt(self._load))
        return self._opened

    def _load(self) -> Any:
        import datasets

        if self.folder is not None:
            if not self.folder.is_dir():
                raise DatasetError(f"no folder {self.folder}", fix="check the path")
            if any((self.folder / name).is_file() for name in _SAVED):
                return self._saved()
        elif Path(str(self.repo)).is_dir():
            raise DatasetError(
                f"{self.repo!r} is also a folder here, which would be read in place of the hub's",
                fix="start elsewhere, or give it as 'folder'",
            )
        builder = datasets.load_dataset_builder(
            str(self.folder or self.repo),
            name=self.config_name,
            data_files=self.data_files,
            revision=self.revision,
        )
        self._provenance = self._described(builder)
        if self.streaming:
            return builder.as_streaming_dataset(split=self.split)
        builder.download_and_prepare()
        return builder.as_dataset(split=self.split)

    def _saved(self) -> Any:
        from datasets import DatasetDict, load_from_disk

        saved = load_from_disk(str(self.folder))
        if isinstance(saved, DatasetDict):
            if self.split not in saved:
                raise DatasetError(
                    f"no split {self.split!r} in {self.folder}",
                    fix=f"its splits: {', '.join(map(str, saved))}",
                )
            saved = saved[self.split]
        self._provenance = _digests([Path(file["filename"]) for file in saved.cache_files])
        return saved

    def _described(self, builder: Any) -> dict[str, str]:
        if self.repo is not None:
            # for a dataset of the hub, the library's own hash is the commit
            named = {"repo": self.repo, "config_name": builder.config.name, "split": self.split}
            return {**named, "revision": str(builder.hash)}
        files = builder.config.data_files or {}
        return _digests([Path(name) for names in files.values() for name in names])

    def _attempt(self, call: Callable[[], _T]) -> _T:
        """Calls the library, and makes its errors ours.

        Raises:
            DatasetError: It failed.
        """
        from datasets.exceptions import DatasetNotFoundError, DatasetsError

        try:
            return call()
        except DatasetError:
            raise
        except DatasetNotFoundError as error:
            raise DatasetError(
                _one_line(error),
                where=self.source(),
                fix="check the id and revision; for a gated or private one, run 'hf auth login'",
            ) from error
        except ConnectionError as error:
            raise DatasetError(
                f"can't reach the hub: {_one_line(error)}",
                where=self.source(),
                fix="connect, or copy it once with 'hf download --repo-type dataset "
                f"{self.repo} --local-dir DIR' and give 'folder: DIR'",
            ) from error
        except (DatasetsError, ValueError, OSError) as error:
            cause = error.__cause__ or error
            raise DatasetError(_one_line(cause), where=self.source()) from error


def _with_images_unread(opened: Any) -> Any:
    """The dataset with its images as the files that they are, which no library has to decode."""
    for name, feature in (opened.features or {}).items():
        unread = _unread(feature)
        if unread != feature:
            opened = opened.cast_column(name, unread)
    return opened


def _unread(feature: Any) -> Any:
    """A feature whose images stay files, in lists and mappings too."""
    from datasets import Image

    if isinstance(feature, Image):
        return Image(decode=False)
    if isinstance(feature, dict):
        return {name: _unread(inner) for name, inner in feature.items()}
    if isinstance(feature, list):
        return [_unread(inner) for inner in feature]
    inner = getattr(feature, "feature", None)
    if inner is None or _unread(inner) == inner:
        return feature
    return dataclasses.replace(feature, feature=_unread(inner))


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__


def _digests(files: list[Path]) -> dict[str, str]:
    digests = {}
    for file in files:
        if file.is_file():
            with file.open("rb") as stream:
                digests[str(file)] = "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
    return digests
