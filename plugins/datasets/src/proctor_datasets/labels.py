"""Class labels of a Hugging Face dataset: their names in place of their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proctor import DatasetError

HIDDEN = -1
"""What stands for a label in a split that hides them."""

Reading = Callable[[Any, str], Any]
"""From a value and its row's place to the value with names for labels."""


def label_reading(feature: Any) -> Reading | None:
    """How values of a feature are read, where class labels stand somewhere in it; None elsewhere.

    A label that is hidden is None, and so is a list of which all are.

    Args:
        feature: A feature of the ``datasets`` library: a class label, a list or a mapping of
            features, or anything else.
    """
    from datasets import ClassLabel

    if isinstance(feature, ClassLabel):
        return _label_names(feature)
    if isinstance(feature, Mapping):
        readings = {name: label_reading(inner) for name, inner in feature.items()}
        known = {name: reading for name, reading in readings.items() if reading is not None}
        return _in_mapping(known) if known else None
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    reading = None if inner is None else label_reading(inner)
    return None if reading is None else _in_list(reading, isinstance(inner, ClassLabel))


def _label_names(feature: Any) -> Reading:
    names = list(feature.names or [])

    def read(value: Any, where: str) -> Any:
        if value is None or isinstance(value, str):
            return value
        if value == HIDDEN:
            return None
        if not 0 <= value < len(names):
            raise DatasetError(f"no label {value} among {len(names)}", where=where)
        return names[value]

    return read


def _in_mapping(readings: Mapping[str, Reading]) -> Reading:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            return value
        changed = {
            name: reading(value[name], where) for name, reading in readings.items() if name in value
        }
        return {**value, **changed}

    return read


def _in_list(reading: Reading, of_labels: bool) -> Reading:
    def read(value: Any, where: str) -> Any:
        if isinstance(value, Mapping):
            # a sequence of mappings is stored as a mapping of sequences
            columns = {name: [{name: item} for item in items] for name, items in value.items()}
            return {
                name: [reading(item, where)[name] for item in items]
                for name, items in columns.items()
            }
        if value is None:
            return None
        read_items = [reading(item, where) for item in value]
        is_hidden = of_labels and read_items and all(item is None for item in read_items)
        return None if is_hidden else read_items

    return read
