"""Rows that occur twice: by id, by prompt, and by prompt with another target."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from proctor.datasets.lint.finding import Finding, Severity, first_rows, target_texts
from proctor.hashing import hash64
from proctor.types import Example


class DuplicatesCheck:
    """Finds duplicate ids and prompts by 64-bit hashes, 24 bytes a row."""

    def __init__(self) -> None:
        self._ids = array("Q")
        self._prompts = array("Q")
        self._targets = array("Q")

    def look(self, row: int, example: Example) -> None:
        """Takes the next row."""
        shown = [example.input, example.choices]
        asked = json.dumps(shown, sort_keys=True, ensure_ascii=False, default=str)
        self._ids.append(hash64(example.id))
        self._prompts.append(hash64(asked))
        self._targets.append(hash64(json.dumps(sorted(target_texts(example)))))

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        ids = np.array(self._ids, dtype=np.uint64)
        prompts = np.array(self._prompts, dtype=np.uint64)
        targets = np.array(self._targets, dtype=np.uint64)
        yield from _found(
            _repeats(ids),
            "duplicate-id",
            "error",
            "the id of an earlier row",
            "give each row its own id; a run ends at a duplicate",
        )
        again = _repeats(prompts)
        conflicting = targets != targets[_first_positions(prompts)]
        yield from _found(
            conflicting,
            "conflicting-targets",
            "error",
            "the prompt of an earlier row, with another target",
            "merge the rows and give the targets as a list, or remove the wrong one",
        )
        yield from _found(
            again & ~conflicting,
            "duplicate-prompt",
            "warning",
            "the prompt and the target of an earlier row",
            "remove them, or give them one metadata.cluster: they count as independent otherwise",
        )


def _first_positions(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    _, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    return np.asarray(first[which], dtype=np.intp)


def _repeats(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    return np.asarray(_first_positions(hashes) != np.arange(len(hashes)))


def _found(
    which: npt.NDArray[np.bool_], check: str, severity: Severity, message: str, fix: str
) -> Iterator[Finding]:
    rows = np.flatnonzero(which) + 1
    if len(rows):
        yield Finding(check, severity, message, len(rows), first_rows(rows), fix)
