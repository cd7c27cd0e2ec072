"""Records as strict JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from pydantic import BaseModel

from proctor.redaction import redacted

_DEEPEST = 100
"""Levels of nesting that are written; readers of JSON have limits, too."""

_LONGEST = 8192
"""Bits of the longest integer that is written as a number."""


def to_line(record: Mapping[str, object]) -> bytes:
    """A record as one line of strict JSON in UTF-8, newline included.

    Whatever a dataset or a grader put into it gets written: what JSON has no form for, as text.
    """
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False, default=_plain)
    except (Exception, SystemExit):  # what a dataset or a grader put there can raise anything
        text = json.dumps(_strict(record), ensure_ascii=False, allow_nan=False)
    # lone surrogates can't be encoded; a model can emit half a character
    return redacted(text).encode("utf-8", "replace") + b"\n"


def to_document(value: Mapping[str, object]) -> str:
    """A mapping as strict JSON for people: indented, newline included."""
    return json.dumps(json.loads(to_line(value)), ensure_ascii=False, indent=2) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # NumPy's and torch's arrays and numbers
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _strict(value: object, holders: tuple[int, ...] = ()) -> object:
    """A value in JSON's own types: NaN, infinities and what holds itself as text, keys as text."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, int):
        # Python writes no longer integers in decimal
        return value if value.bit_length() <= _LONGEST else hex(value)
    if isinstance(value, str) or value is None:
        return value
    if id(value) in holders:
        return "(itself)"
    if len(holders) >= _DEEPEST:
        return "(nested too deeply)"
    holders = (*holders, id(value))
    try:
        if isinstance(value, Mapping):
            return {str(key): _strict(item, holders) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [_strict(item, holders) for item in value]
        return _strict(_plain(value), holders)
    except (Exception, SystemExit):
        return f"({type(value).__name__} that can't be read)"
