"""The csv dataset."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.files import FileDataset, text_lines

_EXCEL_HINT = re.compile(r'"?sep=(.)"?\s*')


class Csv(FileDataset):
    """A table with a header line, gzipped or not; read row by row, every value as text."""

    version: ClassVar[int] = 2

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What separates columns; "\\t" for tab-separated files. Excel's line ``sep=;`` at the top says
    it, too."""

    def rows_in(self, file: Path) -> Iterator[tuple[str, Row]]:
        """Yields each row under the header's names; rows without any value are skipped.

        Raises:
            DatasetError: The header repeats a name, a row has more or fewer values than it, or a
                value stands under no name.
        """
        header: _Header | None = None
        for line, values in self._records(file):
            where = f"{file}:{line}"
            if not any(value.strip() for value in values):
                continue
            if header is None:
                header = _Header(values, where)
            else:
                yield where, header.row(values, where)

    def _records(self, file: Path) -> Iterator[tuple[int, list[str]]]:
        """Yields the values of each record with its first line."""
        # the default refuses fields of more than 131,072 characters, which documents have
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        lines = text_lines(file)
        number, first = next(lines, (0, ""))
        delimiter, skipped = self.delimiter, 0
        if hint := _EXCEL_HINT.fullmatch(first):
            delimiter = delimiter if "delimiter" in self.model_fields_set else hint[1]
            skipped = 1
        elif number:
            lines = chain([(number, first)], lines)
        tidied = _without_spaces((line for _, line in lines), delimiter)
        reader = csv.reader(tidied, delimiter=delimiter, strict=True)
        while True:
            start = reader.line_num + skipped + 1
            try:
                values = next(reader, None)
            except csv.Error as error:
                raise DatasetError(f"no CSV: {error}", where=f"{file}:{start}") from None
            if values is None:
                return
            yield start, values


def _without_spaces(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    """The lines of a table without the spaces around values in quotes, which make them none.

    Spaces around other values stay, as they do within quotes.
    """
    end = re.escape(delimiter)
    value = re.compile(rf' *("(?:[^"]|"")*+("?))?+([^{end}\r\n]*+)({end}|[\r\n]*\Z)')
    is_open = False
    for line in lines:
        if delimiter == " " or not (is_open or '"' in line):
            yield line
            continue
        # a value that an earlier line began is read as if its quote stood here
        whole = f'"{line}' if is_open else line
        tidied, position, has_more = [], 0, True
        is_open, was_open = False, is_open
        while has_more and (found := value.match(whole, position)):
            quoted, closing, rest, end_of_value = found.groups()
            is_open = quoted is not None and not closing
            is_quoted = quoted is not None and not rest.strip(" ")
            tidied.append(quoted + end_of_value if is_quoted else found[0])
            position, has_more = found.end(), end_of_value == delimiter
        yield ("".join(tidied) + whole[position:])[int(was_open) :]


class _Header:
    """The names of the columns. One without a name is left out, as is a spreadsheet's index."""

    def __init__(self, values: list[str], where: str) -> None:
        self._names = [value.strip() for value in values]
        for name, count in Counter(self._names).items():
            if name and count > 1:
                raise DatasetError(f"the header names the column {name!r} twice", where=where)
        self._named = max(index for index, name in enumerate(self._names, 1) if name)

    def row(self, values: list[str], where: str) -> dict[str, str]:
        """The values under their names.

        Raises:
            DatasetError: There are more or fewer of them, or one stands behind the last name.
        """
        if not self._named <= len(values) <= len(self._names):
            raise DatasetError(
                f"{len(values)} values under {self._named} columns",
                where=where,
                fix="put quotes around a value that holds the delimiter, or set 'delimiter'",
            )
        if any(value.strip() for value in values[self._named :]):
            raise DatasetError(
                "a value stands behind the last column that has a name",
                where=where,
                fix="name that column, or put quotes around a value that holds the delimiter",
            )
        return {name: value for name, value in zip(self._names, values, strict=False) if name}
