"""Columns of a row: finding one by its name, and writing its value as text."""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from proctor import BooleanText, DatasetError

Row = Mapping[str, Any]

_MISSING = object()
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def column(row: Row, name: str, where: str) -> Any:
    """The value of a column; ``a.b`` is the field ``b`` of column ``a`` where none is called so.

    Raises:
        DatasetError: The row has no such column.
    """
    value = _find(row, name)
    if value is not _MISSING:
        return value
    names = [str(key) for key in row]
    listing = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise DatasetError(
        f"no column {name!r}", where=where, fix=f"{hint}the row has: {listing or 'none'}"
    )


def _find(row: Row, name: str) -> Any:
    if name in row:
        return row[name]
    value: Any = row
    for key in name.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return _MISSING
        value = value[key]
    return value


def as_text(value: Any, name: str, where: str) -> str:
    """A value as a person would write it: 4.0 is "4", and a date is in ISO 8601.

    Raises:
        DatasetError: It is missing, not finite, or no single value.
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DatasetError(
                f"column {name!r} holds half of a surrogate pair, which is no character",
                where=where,
            ) from None
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (float, Decimal)) and math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(float(value)) < 1e15 else str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    described = "is empty" if value is None else f"holds a {type(value).__name__}, not text"
    raise DatasetError(f"column {name!r} {described}", where=where)


def template_fields(template: str) -> list[str]:
    """The columns that a template names.

    Raises:
        ValueError: A brace is not closed, or the braces hold nothing.
    """
    fields = []
    for match in _FIELD.finditer(template):
        if match[0] in ("{", "}"):
            raise ValueError(f"a lone {match[0]!r} in the template: write it twice")
        if match[1] is not None:
            if not match[1].strip():
                raise ValueError("empty braces in the template: name a column in them")
            fields.append(match[1].strip())
    return fields


def fill_template(template: str, row: Row, where: str) -> str:
    """The template with each ``{column}`` replaced, once: braces in the data stay as they are.

    Raises:
        DatasetError: The row has no such column, or no text in it.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        name = match[1].strip()
        return as_text(column(row, name, where), name, where)

    return _FIELD.sub(value, template)


def as_json(value: Any, name: str, where: str) -> Any:
    """A value as JSON holds it: dates as text, tuples as lists, NaN as null.

    Raises:
        DatasetError: It has no such form, as an image has none.
    """
    if isinstance(value, BooleanText):
        return value.truth
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): as_json(item, name, where) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item, name, where) for item in value]
    if isinstance(value, (Decimal, datetime.date, datetime.time, datetime.timedelta)):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    raise DatasetError(
        f"column {name!r} holds a {type(value).__name__}, which is no JSON",
        where=where,
        fix="name an 'id' column, and leave this one out of 'metadata'",
    )
