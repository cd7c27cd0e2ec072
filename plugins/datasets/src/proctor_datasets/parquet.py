"""The parquet dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.files import FileDataset

_BATCH_ROWS = 512


class Parquet(FileDataset):
    """A Parquet file; read batch by batch."""

    def rows_in(self, file: Path) -> Iterator[tuple[str, Row]]:
        """Yields each row, as Python values.

        Raises:
            DatasetError: The file is no Parquet, or damaged.
        """
        import pyarrow as pa
        from pyarrow import parquet

        number = 0
        try:
            with parquet.ParquetFile(file) as table:
                for batch in table.iter_batches(batch_size=_BATCH_ROWS):
                    for row in batch.to_pylist():
                        number += 1
                        yield f"{file} row {number}", row
        except pa.ArrowException as error:
            raise DatasetError(f"no Parquet: {error}", where=str(file)) from None
