"""The inline dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from proctor_datasets.columns import Row
from proctor_datasets.rows import RowDataset


class Inline(RowDataset):
    """Rows that stand in the config itself."""

    rows: list[dict[str, Any]] = Field(min_length=1)
    """The rows: mappings of column names to values."""

    def read_rows(self) -> Iterator[tuple[str, Row]]:
        """Yields the rows with their numbers, from 1."""
        for number, row in enumerate(self.rows, 1):
            yield f"row {number}", row
