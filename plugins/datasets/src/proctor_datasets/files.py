"""Datasets that are files: their paths, their digests, their lines."""

from __future__ import annotations

import glob
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.rows import RowDataset

_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"


class FileDataset(RowDataset):
    """Base of datasets that are read from files."""

    path: Path
    """The file, against the config's folder; wildcards take several, ordered by name."""

    def read_rows(self) -> Iterator[tuple[str, Row]]:
        """Yields the rows of every file with their places."""
        for file in self.files():
            try:
                yield from self.rows_in(file)
            except OSError as error:
                raise DatasetError(f"can't read the file: {error}", where=str(file)) from error

    def rows_in(self, file: Path) -> Iterator[tuple[str, Row]]:
        """Yields the rows of one file with their places."""
        raise NotImplementedError

    def files(self) -> list[Path]:
        """The files to read.

        Raises:
            DatasetError: There is none.
        """
        if self.path.is_file():
            return [self.path]
        if glob.has_magic(str(self.path)):
            found = [Path(name) for name in sorted(glob.glob(str(self.path), recursive=True))]
            files = [file for file in found if file.is_file()]
            if files:
                return files
        if self.path.is_dir():
            raise DatasetError(
                f"{self.path} is a folder", fix=f"name its files, such as {self.path / '*'}"
            )
        raise DatasetError(f"no file {self.path}", fix="check the path")

    def folder_of_images(self) -> Path | None:
        """The given folder, or that of the files."""
        return self.image_folder or self.path.parent

    def source(self) -> str:
        """The path."""
        return str(self.path)

    def provenance(self) -> dict[str, str]:
        """Each file with the SHA-256 of its content."""
        digests = {}
        for file in self.files():
            with file.open("rb") as stream:
                digests[str(file)] = "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
        return digests


def text_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yields the lines of a UTF-8 file, gzipped or not, with their numbers from 1.

    Raises:
        DatasetError: A line is no UTF-8, or the archive is damaged.
    """
    number = 0
    with _opened(file) as stream:
        try:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    line = line.removeprefix(_BOM)
                yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DatasetError(
                f"no UTF-8: byte 0x{error.object[error.start]:02x}",
                where=f"{file}:{number}",
                fix="save the file as UTF-8",
            ) from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatasetError(f"damaged gzip file: {error}", where=str(file)) from None


def _opened(file: Path) -> BinaryIO:
    with file.open("rb") as stream:
        is_gzip = stream.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(file)) if is_gzip else file.open("rb")
