"""The lock of a run's folder, which ends with the process that holds it."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from proctor.errors import ConfigError

LOCK = ".lock"


class FolderLock:
    """A folder's lock, held from now on. The system lets go of it when the process ends.

    Args:
        folder: The folder.

    Raises:
        ConfigError: Another process holds it, or it can't be made.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = _lock_of(folder)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ConfigError(
                f"another process is writing {folder}", fix="choose another folder with --out"
            ) from None
        except OSError as error:
            raise ConfigError(
                f"can't lock {folder}: {error.strerror}", fix="choose another folder with --out"
            ) from error

    def release(self) -> None:
        """Lets go of the folder, once."""
        self._lock.release()


def is_held(folder: Path) -> bool:
    """Whether a process writes into a folder; true also where that can't be found out."""
    if not (folder / LOCK).exists():
        return False
    lock = _lock_of(folder)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _lock_of(folder: Path) -> FileLock:
    # a run may be closed on another thread than it was claimed on
    return FileLock(folder / LOCK, thread_local=False)
