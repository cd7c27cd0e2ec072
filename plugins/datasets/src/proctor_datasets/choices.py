"""Options of a multiple choice question, and the index of the right one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from proctor import DatasetError
from proctor_datasets.columns import Row, as_text, column

TargetForm = Literal["index", "index_from_1", "letter", "text"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_choices(
    row: Row, source: str | Sequence[str], where: str
) -> tuple[tuple[str, ...], list[str] | None]:
    """The options of a row, and their labels where the data has its own.

    Args:
        row: The row.
        source: One column that holds them all (a list, a list as JSON, or a mapping with ``text``
            and ``label``), or one column for each.
        where: The row's place.

    Raises:
        DatasetError: They can't be read, or there are not 2 to 26 of them.
    """
    labels = None
    if isinstance(source, str):
        name, value = source, column(row, source, where)
        if isinstance(value, str):
            value = _from_json(value, name, where)
        if isinstance(value, Mapping) and "text" in value:
            labels = [str(label) for label in value.get("label") or ()] or None
            value = value["text"]
        if not isinstance(value, (list, tuple)):
            raise DatasetError(f"column {name!r} holds no list of options", where=where)
        texts = list(value)
    else:
        name = ", ".join(source)
        texts = [column(row, option, where) for option in source]
    while texts and texts[-1] in (None, ""):
        texts.pop()
    choices = tuple(as_text(text, name, where) for text in texts)
    if not 2 <= len(choices) <= len(_LETTERS):
        raise DatasetError(
            f"{len(choices)} options in {name!r}, and a question has 2 to {len(_LETTERS)}",
            where=where,
        )
    if labels is not None and len(labels) != len(choices):
        raise DatasetError(f"{len(labels)} labels for {len(choices)} options", where=where)
    return choices, labels


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
    if len(readings) == 1:
        return readings.pop()
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
    if target in (-1, "-1"):
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
