"""The inline dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field, field_validator

from proctor import as_written
from proctor_datasets.columns import Row
from proctor_datasets.rows import RowDataset


class Inline(RowDataset):
    """Rows that stand in the config itself, each value as it is written there."""

    version: ClassVar[int] = 2

    rows: list[dict[str, Any]] = Field(min_length=1)
    """The rows: mappings of column names to values."""

    @field_validator("rows", mode="before")
    @classmethod
    def _keep_written(cls, rows: Any) -> Any:
        return as_written(rows)

    def read_rows(self) -> Iterator[tuple[str, Row]]:
        """Yields the rows with their numbers, from 1."""
        for number, row in enumerate(self.rows, 1):
            yield f"row {number}", row
