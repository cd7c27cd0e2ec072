"""Reading a JSON object back, key by key, so that what is wrong with one is said by its path."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from proctor.errors import ConfigError

_NOT_FINITE = ("nan", "inf", "-inf")
"""How numbers that JSON has no form for are written."""


class JsonFields(Mapping[str, object]):
    """An object of a JSON file.

    Args:
        value: The object.
        path: Where it stands in the file; empty where it is all of it.

    Raises:
        ConfigError: It is no object. So do the methods, where a key is missing or holds something
            else than is asked for.
    """

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{path or 'this'} is no JSON object")
        self._value = value
        self._path = path

    @classmethod
    def of(cls, value: Mapping[str, object]) -> JsonFields:
        """The mapping as fields; it is returned as it is where it has a path already."""
        return value if isinstance(value, JsonFields) else cls(value)

    def __getitem__(self, key: str) -> object:
        if key not in self._value:
            raise ConfigError(f"{self._path or 'the object'} has no {str(key)!r}")
        return self._value[key]

    def __contains__(self, key: object) -> bool:
        return key in self._value

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def number(self, key: str) -> float:
        """A number, as it was written."""
        value = self[key]
        if isinstance(value, str) and value in _NOT_FINITE:
            return float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(key, "a number")
        return value

    def known(self, key: str) -> float:
        """A number; NaN where null says that it is not known."""
        return math.nan if self[key] is None else self.number(key)

    def optional_number(self, key: str) -> float | None:
        """A number, or None."""
        return None if self[key] is None else self.number(key)

    def count(self, key: str) -> int:
        """A whole number."""
        value = self[key]
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, "a whole number")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self[key]
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def text(self, key: str) -> str:
        """A text."""
        value = self[key]
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text, or None."""
        return None if self[key] is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self[key]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of texts")
        return tuple(value)

    def fields(self, key: str) -> JsonFields:
        """An object."""
        return JsonFields(self[key], self._path_of(key))

    def optional_fields(self, key: str) -> JsonFields | None:
        """An object, or None."""
        return None if self[key] is None else self.fields(key)

    def each(self, key: str) -> list[JsonFields]:
        """A list of objects."""
        value = self[key]
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        path = self._path_of(key)
        return [JsonFields(item, f"{path}.{index}") for index, item in enumerate(value)]

    def numbers(self, key: str) -> dict[str, float]:
        """An object of numbers; true and false are numbers, too, as Python has it."""
        held = self.fields(key)
        return {n: v if isinstance(v, bool) else held.number(n) for n, v in held.items()}

    def one_of(self, key: str, words: Collection[str]) -> str:
        """One of several words."""
        value = self.text(key)
        if value not in words:
            raise self._wrong(key, f"one of {', '.join(words)}")
        return value

    def by_count(self, key: str) -> dict[int, JsonFields]:
        """An object of objects whose keys are whole numbers."""
        held = self.fields(key)
        wrong = [name for name in held if not (name.isascii() and name.isdecimal())]
        if wrong:
            raise ConfigError(f"{held._path} has the key {wrong[0]!r}, which is no whole number")
        return {int(name): held.fields(name) for name in held}

    def _path_of(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _wrong(self, key: str, wanted: str) -> ConfigError:
        return ConfigError(f"{self._path_of(key)} is {self[key]!r:.100}, not {wanted}")
