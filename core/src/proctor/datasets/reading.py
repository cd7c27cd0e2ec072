"""Reading the rows of a selection."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from proctor.datasets.selection import Selection
from proctor.types import Example
from proctor.waiting import OneThread

Row = tuple[int, Example]
"""A position in the dataset, and the example there."""
Ready = TypeVar("Ready")


class RowReader:
    """Reads rows in batches, from the first to the last, on one thread.

    An iterator that reads a database may belong to the thread that began it.

    Args:
        selection: Which rows.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._thread = OneThread("proctor-dataset")
        self._rows: Iterator[Row] | None = None

    async def batch(
        self, size: int, make_ready: Callable[[Sequence[Row]], list[Ready]]
    ) -> list[Ready]:
        """The next rows, made ready on that thread too; none where there are no more.

        Raises:
            ProctorError: A row can't be read or made ready.
        """
        return await self._thread.call(functools.partial(self._next, size, make_ready))

    def close(self) -> None:
        """Lets go of the rows, on their thread; what reads there is not waited for."""
        self._thread.end(self._drop)

    def _next(self, size: int, make_ready: Callable[[Sequence[Row]], list[Ready]]) -> list[Ready]:
        if self._rows is None:
            self._rows = self._selection.rows()
        rows = list(islice(self._rows, size))
        return make_ready(rows) if rows else []

    def _drop(self) -> None:
        self._rows = None
