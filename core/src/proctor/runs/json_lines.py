"""JSON files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from proctor.errors import ConfigError, RunError
from proctor.runs.json_text import to_document, to_line


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
        self._is_closed = False
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

    def append(self, record: Mapping[str, object]) -> None:
        """Writes one record as one line.

        Raises:
            RunError: It is closed, or can't be written, as on a full disk; what was there before
                is whole.
        """
        if self._is_closed:
            # by now its descriptor may be another file's
            raise RunError(f"can't write {self.path}: its run has ended")
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

    def check_in_place(self) -> None:
        """Looks whether what was written is what stands under the path.

        Raises:
            RunError: It was removed or replaced, as with its folder.
        """
        try:
            is_there = os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            is_there = False
        if not is_there:
            raise RunError(
                f"{self.path} was removed or replaced while its run wrote it",
                fix="the scores are those of the run; its samples are lost: run it again",
            )

    def close(self) -> None:
        """Closes the file, once."""
        if not self._is_closed:
            self._is_closed = True
            os.close(self._descriptor)


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Writes a JSON file whole or not at all.

    Raises:
        RunError: It can't be written.
    """
    write_whole(path, to_document(value).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        RunError: It can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(
            f"can't write {path}: {error.strerror}", fix="make room, or choose another folder"
        ) from error
