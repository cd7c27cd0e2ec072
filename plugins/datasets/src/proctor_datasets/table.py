"""The csv dataset."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.files import FileDataset, text_lines


class Csv(FileDataset):
    """A table with a header line, gzipped or not; read row by row, every value as text."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What separates columns; "\\t" for tab-separated files."""

    def rows_in(self, file: Path) -> Iterator[tuple[str, Row]]:
        """Yields each row under the header's names.

        Raises:
            DatasetError: The header repeats a name, or a row has more or fewer values than it.
        """
        # the default refuses fields of more than 131,072 characters, which documents have
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        lines = (line for _, line in text_lines(file))
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        header: list[str] | None = None
        start = 1
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                raise DatasetError(f"no CSV: {error}", where=f"{file}:{start}") from None
            where, start = f"{file}:{start}", reader.line_num + 1
            if values is None:
                return
            if not values:
                continue
            if header is None:
                header = _checked_header(values, where)
            elif len(values) != len(header):
                raise DatasetError(
                    f"{len(values)} values under {len(header)} columns",
                    where=where,
                    fix="put quotes around a value that holds the delimiter, or set 'delimiter'",
                )
            else:
                yield where, dict(zip(header, values, strict=True))


def _checked_header(values: list[str], where: str) -> list[str]:
    header = [value.strip() for value in values]
    for name in header:
        if header.count(name) > 1:
            raise DatasetError(f"the header names the column {name!r} twice", where=where)
    return header
