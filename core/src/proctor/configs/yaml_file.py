"""YAML files, read with the line of each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from proctor.components.place import Place, Written
from proctor.errors import ConfigError

Lines = dict[tuple[str | int, ...], int]
"""The line of each key, by its path."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file that was read.

    Attributes:
        content: What it holds.
        place: The file, with the line of each key.
    """

    content: Mapping[str, Written]
    place: Place


def read_yaml(file: Path) -> YamlFile:
    """Reads a YAML file with the line of each of its keys.

    Raises:
        ConfigError: It can't be read, is no YAML (line and column), or holds a key twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"no config file {file}", fix="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't read {file}: {error}") from error
    try:
        content, lines = _parsed(text, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigError(f"no YAML: {error.problem or error.context}", where=where) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"no YAML: {error}", where=str(file)) from None
    if not isinstance(content, dict):
        raise ConfigError(
            "a config is a mapping", where=str(file), fix="start with 'model:' and 'evaluators:'"
        )
    return YamlFile(content, Place(file, (), lines))


def _parsed(text: str, file: Path) -> tuple[Written, Lines]:
    """What a text holds, and the line of each key, from one pass over it."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: Lines = {}
        if isinstance(node, yaml.MappingNode):
            # before it is made into a mapping, which writes merged keys into the node
            _note_lines(node, (), lines, file)
        return None if node is None else loader.construct_document(node), lines
    finally:
        loader.dispose()


def _note_lines(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: Lines,
    file: Path,
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            key = str(key_node.value)
            if (*path, key) in lines:
                raise ConfigError(
                    f"the key {key!r} stands twice", where=f"{file}:{key_node.start_mark.line + 1}"
                )
            lines[(*path, key)] = key_node.start_mark.line + 1
            _note_lines(value, (*path, key), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines, file)
