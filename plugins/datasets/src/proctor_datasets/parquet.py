"""The parquet dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.files import FileDataset

_BATCH_ROWS = 512


class Parquet(FileDataset):
    """A Parquet file; read batch by batch."""

    def rows_in(self, file: Path) -> Iterator[tuple[str, Row]]:
        """Yields each row, as Python values.

        Raises:
            DatasetError: The file is no Parquet, or damaged, or two columns have one name.
        """
        import pyarrow as pa
        from pyarrow import parquet

        number = 0
        try:
            with parquet.ParquetFile(file) as table:
                if name := _name_twice(table.schema_arrow):
                    raise DatasetError(
                        f"two columns are called {name!r}",
                        where=str(file),
                        fix="rename one: a row can show the last one only",
                    )
                for batch in table.iter_batches(batch_size=_BATCH_ROWS):
                    for row in batch.to_pylist():
                        number += 1
                        yield f"{file} row {number}", row
        except pa.ArrowException as error:
            raise DatasetError(f"no Parquet: {error}", where=str(file)) from None


def _name_twice(fields: Any) -> str | None:
    """The first name that stands twice among fields, or within one; ``a.b`` is b within a."""
    for name, count in Counter(field.name for field in fields).items():
        if count > 1:
            return str(name)
    for field in fields:
        if inner := _name_twice(_fields_within(field.type)):
            return f"{field.name}.{inner}"
    return None


def _fields_within(kind: Any) -> list[Any]:
    """The fields of the structures that a type is made of."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return [kind.field(index) for index in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return _fields_within(kind.item_type)
    if pa.types.is_nested(kind) and hasattr(kind, "value_type"):
        return _fields_within(kind.value_type)
    return []
