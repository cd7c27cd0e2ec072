"""The jsonl dataset."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proctor import DatasetError
from proctor_datasets.columns import Row
from proctor_datasets.files import FileDataset, text_lines


class Jsonl(FileDataset):
    """A JSON object on each line of a file, gzipped or not; read line by line."""

    def rows_in(self, file: Path) -> Iterator[tuple[str, Row]]:
        """Yields the object on each line that isn't blank.

        Raises:
            DatasetError: A line is no JSON object; the error names it.
        """
        for number, line in text_lines(file):
            if line.strip():
                where = f"{file}:{number}"
                yield where, _parse(line, where)


def _parse(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_constant=_refuse, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise DatasetError(f"no JSON: {error.msg} at column {error.colno}", where=where) from None
    except ValueError as error:
        raise DatasetError(str(error), where=where) from None
    except RecursionError:
        raise DatasetError("JSON that is nested too deeply", where=where) from None
    if not isinstance(row, dict):
        raise DatasetError(
            f"a JSON {type(row).__name__}, and not an object",
            where=where,
            fix='each line is one object, such as {"input": ..., "target": ...}',
        )
    return row


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no value of JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {next(k for k in counts if counts[k] > 1)!r} stands twice")
    return row
