"""Whether options were read as the person who wrote them meant them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel

from proctor.components.place import Place, Written
from proctor.components.written import UnclearText
from proctor.errors import ConfigError

_NUMBER = re.compile(
    r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?|[-+]?(inf(inity)?|nan)",
    re.IGNORECASE,
)


class BuiltLater:
    """Marks a field of specs that are validated only when they are built."""


def check_readings(given: Mapping[str, Written], validated: BaseModel, place: Place) -> None:
    """Refuses options of which it can't be said how they were meant, as ``check_reading`` does.

    Args:
        given: The options as they stand in the config: of any type.
        validated: What became of them.
        place: Where they stand.

    Raises:
        ConfigError: One is a number that was written as none, or may be text or not.
    """
    for name, info in type(validated).model_fields.items():
        if name in given and not any(isinstance(mark, BuiltLater) for mark in info.metadata):
            check_reading(given[name], getattr(validated, name), place / name)


def check_reading(given: Written, validated: Written, place: Place) -> None:
    """Refuses a value that validation took for a number, or did not take for anything.

    pydantic makes 1 of ``true`` and 10 of the text ``010``, which may be 8; and where an option may
    be of any type, ``no`` may be a word or a boolean.

    Args:
        given: What stands in the config: of any type.
        validated: What became of it.
        place: Where it stands.

    Raises:
        ConfigError: It is one of these.
    """
    if isinstance(given, (bool, str)):
        _check_scalar(given, validated, place)
    elif isinstance(given, Mapping):
        fields = validated.__dict__ if isinstance(validated, BaseModel) else validated
        if isinstance(fields, Mapping):
            for key, value in given.items():
                check_reading(value, fields.get(key), place / str(key))
    elif isinstance(given, (list, tuple)) and isinstance(validated, (list, tuple)):
        for index, (value, item) in enumerate(zip(given, validated, strict=False)):
            check_reading(value, item, place / index)


def _check_scalar(given: bool | str, validated: Written, place: Place) -> None:
    shown = repr(str(given)) if isinstance(given, str) else str(given).lower()
    is_number = isinstance(validated, (int, float)) and not isinstance(validated, bool)
    if is_number and not (isinstance(given, str) and _NUMBER.fullmatch(given.strip())):
        raise ConfigError(
            f"expected a number, not {shown}",
            where=str(place),
            fix="write its digits alone, with no zero before them",
        )
    if isinstance(validated, UnclearText):
        raise ConfigError(
            f"{shown} may be text or not",
            where=str(place),
            fix="put it in quotes where it is text; else write a plain number, true or false",
        )
