"""Options of a multiple choice question, and the index of the right one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from proctor import DatasetError
from proctor_datasets.columns import Row, as_text, column
from proctor_datasets.labels import HIDDEN

TargetForm = Literal["index", "index_from_1", "letter", "text"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BESIDE = (("text", "label"), ("choices", "labels"))
_EACH = (("label", "text"), ("key", "value"))


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of a row.

    Attributes:
        texts: The options.
        labels: What the data calls each, where it has labels of its own.
        marks: For each option whether it is the right one, where the data says so beside them.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    marks: tuple[Any, ...] | None = None


def read_choices(row: Row, source: str | Sequence[str], where: str) -> Choices:
    """The options of a row. Those that are missing at the end are left out.

    Args:
        row: The row.
        source: One column that holds them all, or one column for each. A column holds a list, a
            mapping of labels to options, a mapping with ``text`` and ``label`` or with ``choices``
            and ``labels``, a list of mappings like these, or any of it as JSON.
        where: The row's place.

    Raises:
        DatasetError: They can't be read, there are not 2 to 26 of them, or one is empty.
    """
    value, labels = None, None
    if isinstance(source, str):
        name, value = source, column(row, source, where)
        if isinstance(value, str):
            value = _from_json(value, name, where)
        texts, labels = _listed(value, name, where)
    else:
        name = ", ".join(source)
        texts = [column(row, option, where) for option in source]
    given = len(texts)
    while texts and _is_missing(texts[-1]):
        texts.pop()
    if not 2 <= len(texts) <= len(_LETTERS):
        raise DatasetError(
            f"{len(texts)} options in {name!r}, and a question has 2 to {len(_LETTERS)}",
            where=where,
        )
    for letter, text in zip(_LETTERS, texts, strict=False):
        if _is_missing(text):
            raise DatasetError(f"option {letter} in {name!r} is empty", where=where)
    choices = tuple(as_text(text, name, where) for text in texts)
    if labels is None:
        return Choices(choices)
    if len(labels) not in (len(choices), given):
        raise DatasetError(f"{len(labels)} labels for {len(choices)} options", where=where)
    if isinstance(value, Mapping) and "labels" in value and are_marks(labels):
        return Choices(choices, marks=tuple(labels))
    return Choices(choices, tuple(str(label) for label in labels[: len(choices)]))


def _is_missing(text: Any) -> bool:
    return text is None or (isinstance(text, str) and not text.strip())


def _listed(value: Any, name: str, where: str) -> tuple[list[Any], list[Any] | None]:
    """The options in a column, and what the data has beside each."""
    if isinstance(value, (list, tuple)):
        pairs = [_pair(item) for item in value]
        known = [pair for pair in pairs if pair is not None]
        if known and len(known) == len(pairs):
            return [text for _, text in known], [label for label, _ in known]
        return list(value), None
    if isinstance(value, Mapping):
        for texts, labels in _BESIDE:
            if isinstance(value.get(texts), (list, tuple)):
                return list(value[texts]), list(value.get(labels) or ()) or None
        if len(value) > 1 and not any(isinstance(v, (list, Mapping)) for v in value.values()):
            return list(value.values()), list(value)
    raise DatasetError(f"column {name!r} holds no list of options", where=where)


def _pair(item: Any) -> tuple[Any, Any] | None:
    """The label and the text of an option that is a mapping of its own."""
    for label, text in _EACH:
        if isinstance(item, Mapping) and {label, text} <= item.keys():
            return item[label], item[text]
    return None


def are_marks(values: Sequence[Any]) -> bool:
    """Whether values say of each option whether it is right: 0 or 1, or -1 where that is hidden."""
    return all(not isinstance(v, str) and v in (0, 1, HIDDEN) for v in values)


def marked_index(marks: Sequence[Any], choices: Sequence[str], where: str) -> int | None:
    """The index of the one option that is marked right; None where the marks are hidden.

    Raises:
        DatasetError: None is, or several different ones are.
    """
    if all(mark == HIDDEN for mark in marks):
        return None
    marked = [index for index, mark in enumerate(marks) if mark == 1]
    if not marked or marked[-1] >= len(choices):
        raise DatasetError("none of the options is marked right", where=where)
    if len({choices[index] for index in marked}) > 1:
        raise DatasetError(
            f"{len(marked)} options are marked right, and a question has one",
            where=where,
            fix="map a column that marks one, such as TruthfulQA's mc1_targets",
        )
    return marked[0]


def _from_json(text: str, name: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise DatasetError(
            f"column {name!r} holds text, and no list of options",
            where=where,
            fix="write the list as JSON, or give 'choices' one column for each option",
        ) from None


def right_index(
    target: Any,
    choices: Sequence[str],
    labels: Sequence[str] | None,
    form: TargetForm | None,
    where: str,
) -> int:
    """The index, from 0, of the option that a target means.

    Without ``form``, a JSON number is an index from 0, and text is an option's label, its letter
    or its own text, where only one of these fits. A number that stands as text could be counted
    from 0 or from 1, so that it needs ``form`` unless it is a label or an option.

    Raises:
        DatasetError: It means no option, or may mean several.
    """
    readings = _readings(target, choices, labels, form)
    # either of two equal options is right, as long as there is a wrong one
    is_one_option = len({choices[index].strip() for index in readings}) == 1
    if len(readings) == 1 or (is_one_option and len(readings) < len(choices)):
        return min(readings)
    if readings:
        letters = " and ".join(_LETTERS[index] for index in sorted(readings))
        raise DatasetError(
            f"the target {target!r} may mean option {letters}",
            where=where,
            fix="say what it is with 'target_is': index, index_from_1, letter or text",
        )
    if form is None and isinstance(target, str) and target.strip().isdecimal():
        raise DatasetError(
            f"the target {target!r} may count from 0 or from 1",
            where=where,
            fix="say so with 'target_is: index' or 'target_is: index_from_1'",
        )
    if target in (HIDDEN, str(HIDDEN)):
        fix = "-1 stands for a label that is hidden: take a split that has them"
    else:
        fix = "it is an index from 0, a letter or an option's text; 'target_is' says which"
    raise DatasetError(
        f"the target {target!r} is none of the {len(choices)} options"
        + (f" by {form}" if form else ""),
        where=where,
        fix=fix,
    )


def _readings(
    target: Any, choices: Sequence[str], labels: Sequence[str] | None, form: TargetForm | None
) -> set[int]:
    text = as_text(target, "target", "") if isinstance(target, (int, float)) else str(target)
    text = text.strip()
    number = int(text) if text.isascii() and text.isdecimal() else None
    positions: set[int] = set()
    if number is not None and (form == "index" or (form is None and not isinstance(target, str))):
        positions.add(number)
    if number is not None and form == "index_from_1":
        positions.add(number - 1)
    found = {index for index in positions if 0 <= index < len(choices)}
    if form in (None, "letter"):
        if labels is not None:
            found |= {index for index, label in enumerate(labels) if label.strip() == text}
        else:
            letter = text.strip("().").upper()
            if len(letter) == 1 and letter in _LETTERS[: len(choices)]:
                found.add(_LETTERS.index(letter))
    if form in (None, "text"):
        found |= {index for index, choice in enumerate(choices) if choice.strip() == text}
    return found
