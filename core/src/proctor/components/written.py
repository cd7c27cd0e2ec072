"""How the scalars of a config were written, for what takes them as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from proctor.components.place import Written

_Key = TypeVar("_Key")


class UnclearText(str):
    """A plain scalar that is text, and that YAML 1.1 reads as a number or as yes or no."""

    __slots__ = ()


class BooleanText(str):
    """A boolean as it was written, such as "True", where text may be wanted."""

    __slots__ = ()

    @property
    def truth(self) -> bool:
        """The boolean."""
        return self.casefold() == "true"


# Written: values of a config, which may be of any type until its components have validated them.
class WrittenDict(dict[str, Written]):
    """A mapping of a config that knows how its scalars were written."""

    written: Mapping[str, str]
    """The text of each value that is a number or a boolean."""


class WrittenList(list[Written]):
    """A list of a config that knows how its scalars were written."""

    written: Mapping[int, str]
    """The text of each item that is a number or a boolean."""


def as_written(value: Written) -> Written:
    """Data that stands in a config, with text where a number would be written otherwise.

    A dataset whose rows stand in a config takes them through this, before it validates them:
    ``016``, ``1.10`` and ``1e3`` are text, and so is ``no``; ``14`` and ``0.5`` are numbers.
    ``true`` is a boolean, and ``True`` is a ``BooleanText``. What did not come from a file stays as
    it is.

    Args:
        value: What stands in the config: of any type, as it was not yet validated.

    Returns:
        The same, as plain lists and mappings.
    """
    if isinstance(value, dict):
        texts: Mapping[Written, str] = value.written if isinstance(value, WrittenDict) else {}
        return {key: _as_written(item, key, texts) for key, item in value.items()}
    if isinstance(value, list):
        texts = value.written if isinstance(value, WrittenList) else {}
        return [_as_written(item, index, texts) for index, item in enumerate(value)]
    return str(value) if isinstance(value, UnclearText) else value


def _as_written(value: Written, key: _Key, texts: Mapping[_Key, str]) -> Written:
    text = texts.get(key)
    if text is None:
        return as_written(value)
    if isinstance(value, bool):
        return value if text in ("true", "false") else BooleanText(text)
    # 4.0 as a number is the text "4" in a dataset, which is not what stands there
    is_kept = str(value) == text and (isinstance(value, int) or not value.is_integer())
    return value if is_kept else text
