"""YAML files, read with the line of each key.

Scalars are read by YAML 1.2's core schema, without its octal and hexadecimal numbers: of what
stands without quotes only ``true``, ``false``, ``null`` and plain decimal numbers are no text, and
how these were written is known, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.constructor import ConstructorError

from proctor.components.place import Place, Written
from proctor.components.written import UnclearText, WrittenDict, WrittenList
from proctor.errors import ConfigError

Lines = dict[tuple[str | int, ...], int]
"""The line of each key, by its path."""

YamlNode: TypeAlias = Any  # a node of PyYAML's, whose types are loose

MOST_REPEATED = 100_000
"""Most values that a file's aliases may repeat, so that a small file can't fill the memory."""

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,299})$")
_FLOAT = re.compile(
    r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,9})?$"
    r"|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"
)
_BOOLEAN = re.compile(r"(true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"(~|null|Null|NULL|)$")
_UNCLEAR = (f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool")


class _Loader(yaml.SafeLoader):
    """Reads a config's values; of tags it knows those of plain data only."""

    # PyYAML's own are those of YAML 1.1
    yaml_implicit_resolvers = {}  # noqa: RUF012
    yaml_constructors = {}  # noqa: RUF012

    def read_null(self, node: YamlNode) -> None:
        if node.value == "~":
            raise _refusal("'~' may be text or nothing: write '\"~\"' or null", node)
        self._check_pattern(_NULL, node)

    def read_boolean(self, node: YamlNode) -> bool:
        self._check_pattern(_BOOLEAN, node)
        return str(node.value).lower() == "true"

    def read_integer(self, node: YamlNode) -> int:
        self._check_pattern(_INTEGER, node)
        return int(node.value)

    def read_float(self, node: YamlNode) -> float | str:
        self._check_pattern(_FLOAT, node)
        text = str(node.value)
        if text.lstrip("+-").lower() in (".inf", ".nan"):
            return float(text.replace(".", ""))
        value = float(text)
        return UnclearText(text) if math.isinf(value) else value

    def read_text(self, node: YamlNode) -> str:
        text = str(node.value)
        return UnclearText(text) if node.style is None and _is_unclear(text) else text

    def read_list(self, node: YamlNode) -> WrittenList:
        items = WrittenList()
        for child in node.value:
            value = self.construct_object(child, deep=True)
            if value is None:
                raise _refusal(
                    "an item of a list is empty: put quotes around it where it is text", child
                )
            items.append(value)
        items.written = {
            index: str(child.value)
            for index, (child, value) in enumerate(zip(node.value, items, strict=True))
            if isinstance(value, (bool, int, float))
        }
        return items

    def read_mapping(self, node: YamlNode) -> WrittenDict:
        self.flatten_mapping(node)
        values, written = WrittenDict(), dict[str, str]()
        for key_node, child in node.value:
            key = str(key_node.value)
            values[key] = value = self.construct_object(child, deep=True)
            written.pop(key, None)  # what a merged mapping has is replaced
            if isinstance(value, (bool, int, float)):
                written[key] = str(child.value)
        values.written = written
        return values

    def refuse(self, node: YamlNode) -> None:
        raise _refusal(f"the tag {node.tag!r} is not read in a config", node)

    def construct_object(self, node: YamlNode, deep: bool = False) -> Written:
        wanted = {"map": yaml.MappingNode, "seq": yaml.SequenceNode}
        kind = wanted.get(str(node.tag).removeprefix(_TAG), yaml.ScalarNode)
        if not isinstance(node, kind):
            self.refuse(node)
        return super().construct_object(node, deep=deep)

    def _check_pattern(self, pattern: re.Pattern[str], node: YamlNode) -> None:
        # what an explicit tag calls a number may be none
        if not pattern.match(str(node.value)):
            raise _refusal(f"{node.value!r} is not what its tag says", node)


for _name, _pattern, _first in (
    ("bool", _BOOLEAN, "tTfF"),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("merge", re.compile(r"<<$"), "<"),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", _pattern, list(_first))
for _name, _reading in (
    ("bool", _Loader.read_boolean),
    ("int", _Loader.read_integer),
    ("float", _Loader.read_float),
    ("null", _Loader.read_null),
    ("str", _Loader.read_text),
    ("seq", _Loader.read_list),
    ("map", _Loader.read_mapping),
):
    _Loader.add_constructor(f"{_TAG}{_name}", _reading)
_Loader.add_constructor(None, _Loader.refuse)  # None: all others


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
        ConfigError: It can't be read, is no YAML (line and column), holds a key twice, or repeats
            too much by aliases.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
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
    except RecursionError:
        raise ConfigError("YAML that is nested too deeply", where=str(file)) from None
    if not isinstance(content, dict):
        raise ConfigError(
            "a config is a mapping", where=str(file), fix="start with 'model:' and 'evaluators:'"
        )
    return YamlFile(content, Place(file, (), lines))


def _parsed(text: str, file: Path) -> tuple[Written, Lines]:
    """What a text holds, and the line of each key, from one pass over it."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: Lines = {}
        if node is None:
            return None, lines
        _check_aliases(node)
        # before it is made into a mapping, which writes merged keys into the node
        _note_lines(node, (), lines, file)
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _is_unclear(text: str) -> bool:
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], [])
    return any(tag in _UNCLEAR and pattern.match(text) for tag, pattern in resolvers)


def _refusal(problem: str, node: yaml.Node) -> ConstructorError:
    return ConstructorError(None, None, problem, node.start_mark)


def _check_aliases(root: yaml.Node) -> None:
    """Refuses aliases that repeat too much, or themselves."""
    sizes: dict[int, int | None] = {}

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            known = sizes[id(node)]
            if known is None:
                raise _refusal("an alias stands within what it repeats", node)
            return known
        sizes[id(node)] = None
        total = 1 + sum(size(child) for child in _children(node))
        sizes[id(node)] = total
        return total

    if size(root) > len(sizes) + MOST_REPEATED:
        raise _refusal(f"aliases repeat more than {MOST_REPEATED} values", root)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _note_lines(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: Lines,
    file: Path,
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refusal("a key is text, and no list or mapping", key_node)
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
