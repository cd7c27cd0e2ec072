"""From rows to examples: the options that every dataset has in common."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from proctor import Dataset, DatasetError, Example, HashCounter, Message, hash64
from proctor_datasets.choices import (
    Choices,
    TargetForm,
    are_marks,
    marked_index,
    read_choices,
    right_index,
)
from proctor_datasets.columns import (
    Row,
    as_json,
    as_text,
    column,
    fill_template,
    template_fields,
)
from proctor_datasets.conversations import is_conversation, read_conversation
from proctor_datasets.images import image_columns, images_as_json, read_images, with_images
from proctor_datasets.targets import compiled, cut_out, from_json


class RowDataset(Dataset):
    """Base of datasets that are made of rows with named columns.

    A column's name may be a path: ``answers.text`` is the field ``text`` of column ``answers``.
    Columns called ``input``, ``target``, ``choices``, ``id`` and ``metadata`` need no mapping.
    """

    input: str | None = None
    """The column of the question: text, or a list of messages."""
    template: str | None = Field(default=None, min_length=1)
    """The question, made of columns: "Q: {question}" and so on; a brace itself is written twice."""
    target: str | None = None
    """The column of the right answer: text, a number, a list of which any will do, or, with
    choices, the right one's index, letter or text."""
    target_pattern: str | None = None
    """A regular expression that cuts the target out of its column: its first group, at its last
    match, such as "#### (.+)"."""
    target_format: Literal["text", "json"] = "text"
    """What text in the target's column is: the target itself, or a target, or a list of which any
    will do, as JSON."""
    target_is: TargetForm | None = None
    """What the target of a multiple choice question is, where it could be several things."""
    choices: str | list[str] | None = None
    """The column of the options, or a list of columns with one option each; [] for none."""
    images: str | list[str] | None = None
    """The column of the question's images, or a list of columns: each holds a path, a data: URI,
    the bytes of a file, an image of the library that read it, or a list of those; [] for none."""
    image_folder: Path | None = None
    """The folder where images' relative paths begin; else the data's own."""
    id: str | None = None
    """The column of the row's id; without it, the id is made from the row's content."""
    metadata: list[str] | dict[str, str] = Field(default_factory=list)
    """Columns to keep, for 'by', 'stratum' and 'cluster': a list, or new names for columns."""

    @field_validator("template")
    @classmethod
    def _check_template(cls, template: str | None) -> str | None:
        if template is not None:
            template_fields(template)
        return template

    @field_validator("target_pattern")
    @classmethod
    def _check_target_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            compiled(pattern)
        return pattern

    @model_validator(mode="after")
    def _check_input(self) -> Self:
        if self.input is not None and self.template is not None:
            raise ValueError("'input' and 'template' both say what the question is; keep one")
        if self.target_pattern is not None and self.target_format == "json":
            raise ValueError("'target_pattern' cuts text, and 'target_format' is json; keep one")
        return self

    def read_rows(self) -> Iterator[tuple[str, Row]]:
        """Yields each row with its place, such as ``file:line``, again and again.

        Raises:
            DatasetError: A row can't be read.
        """
        raise NotImplementedError

    def examples(self) -> Iterator[Example]:
        """Yields the rows as examples.

        Raises:
            DatasetError: A row can't be read or mapped, or there is none.
        """
        seen = HashCounter()
        where = None
        for where, row in self.read_rows():
            yield self._example(row, where, seen)
        if where is None:
            raise DatasetError(
                f"{self.source()} has no rows", fix="check the path, the split and the file"
            )

    def source(self) -> str:
        """What the rows come from, for errors."""
        return "the dataset"

    def _example(self, row: Row, where: str, seen: HashCounter) -> Example:
        source = self.choices
        if source is None and row.get("choices") is not None:
            source = "choices"
        target: str | int | list[str] | None
        if source:
            options = read_choices(row, source, where)
            choices, target = options.texts, self._right_index(row, options, where)
        else:
            choices, value = None, self._target(row, where)
            target = None if value is None else self._texts(value, where)
        pictures = image_columns(row, self.images, where)
        images = read_images(row, pictures, self.folder_of_images(), where)
        return Example(
            id=self._id(row, where, seen, pictures),
            input=with_images(self._input(row, where), images, where),
            target=target,
            choices=choices,
            metadata=self._metadata(row, where),
        )

    def _input(self, row: Row, where: str) -> str | list[Message]:
        if self.template is not None:
            return fill_template(self.template, row, where)
        if self.input is None and "input" not in row:
            raise DatasetError(
                "no column 'input'",
                where=where,
                fix=f"say which it is with 'input' or 'template'; the row has: {', '.join(row)}",
            )
        name = self.input or "input"
        value = column(row, name, where)
        if is_conversation(value):
            return read_conversation(value, name, where, self.folder_of_images())
        text = as_text(value, name, where)
        if not text.strip():
            raise DatasetError(f"column {name!r} is empty", where=where)
        return text

    def folder_of_images(self) -> Path | None:
        """The folder against which relative paths of images are read; None where there is none."""
        return self.image_folder

    def _target(self, row: Row, where: str) -> Any:
        if self.target is None:
            value, name = row.get("target"), "target"
        else:
            value, name = column(row, self.target, where), self.target
        if value is None:
            return None
        if self.target_pattern is not None:
            return cut_out(self.target_pattern, as_text(value, name, where), name, where)
        if self.target_format == "json" and isinstance(value, str):
            return from_json(value, name, where)
        return value

    def _right_index(self, row: Row, options: Choices, where: str) -> int | None:
        target = self._target(row, where)
        if target is None and self.target is None:
            target = options.marks
        if isinstance(target, (list, tuple)) and len(target) == 1:
            (target,) = target
        if isinstance(target, (list, tuple)):
            if len(target) >= len(options.texts) and are_marks(target):
                return marked_index(target, options.texts, where)
            raise DatasetError("several targets for a multiple choice question", where=where)
        if target is None:
            return None
        return right_index(target, options.texts, options.labels, self.target_is, where)

    def _texts(self, target: Any, where: str) -> str | list[str]:
        name = self.target or "target"
        if isinstance(target, (list, tuple)):
            return list(dict.fromkeys(as_text(item, name, where) for item in target))
        return as_text(target, name, where)

    def _id(self, row: Row, where: str, seen: HashCounter, pictures: list[str]) -> str:
        if self.id is not None or row.get("id") is not None:
            name = self.id or "id"
            given = as_text(column(row, name, where), name, where)
            if not given.strip():
                raise DatasetError(f"column {name!r} is empty", where=where)
            return given
        content = {
            str(name): (images_as_json if name in pictures else as_json)(value, str(name), where)
            for name, value in row.items()
        }
        code = hash64(json.dumps(content, sort_keys=True, separators=(",", ":")))
        earlier = seen.add(code)
        return f"{code:016x}-{earlier + 1}" if earlier else f"{code:016x}"

    def _metadata(self, row: Row, where: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        own = row.get("metadata")
        if isinstance(own, dict):
            kept.update(as_json(own, "metadata", where))
        names = self.metadata
        if not isinstance(names, dict):
            names = {name: name for name in names}
        for key, name in names.items():
            kept[key] = as_json(column(row, name, where), name, where)
        return kept
