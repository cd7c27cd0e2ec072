"""``Any`` stands only where a foreign object comes in, with a comment that says whose it is."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from itertools import zip_longest

import pytest

HOMES = {"typing", "typing_extensions"}


def uses_of_any(tree: ast.AST) -> Iterator[int]:
    """The line of each use of ``Any``, whatever a module calls it; imports are none."""
    names, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in HOMES:
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "Any"}
        elif isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name in HOMES}
    written = names | {f"{module}.Any" for module in modules}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in written:
            yield node.lineno


def commented_lines(source: str) -> set[int]:
    """The lines with a comment, and those directly below one that stands alone.

    A comment that only tells a tool something doesn't say whose an object is.
    """
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        parts = [part.strip() for part in token.string.split("#")]
        if all(not part or part.startswith(("noqa", "type:")) for part in parts):
            continue
        line, column = token.start
        lines.add(line)
        if not token.line[:column].strip():
            lines.add(line + 1)
    return lines


def explained_alias_lines(tree: ast.Module, commented: set[int]) -> set[int]:
    """The lines of the module's aliases that have a comment, or a literal under them."""
    lines: set[int] = set()
    for statement, below in zip_longest(tree.body, tree.body[1:]):
        if not is_alias(statement):
            continue
        is_described = (
            isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        )
        own = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        if is_described or not commented.isdisjoint(own):
            lines.update(own)
    return lines


def is_alias(statement: ast.stmt) -> bool:
    """Whether it may be an alias; with an annotation of its own it is a variable."""
    if isinstance(statement, ast.AnnAssign):
        return ast.unparse(statement.annotation).rpartition(".")[2] == "TypeAlias"
    return isinstance(statement, ast.Assign)


def unexplained(source: str) -> list[int]:
    """The lines on which ``Any`` stands and nothing says whose object that is."""
    tree = ast.parse(source)
    commented = commented_lines(source)
    explained = commented | explained_alias_lines(tree, commented)
    return sorted({line for line in uses_of_any(tree) if line not in explained})


def test_any_says_whose_object_it_is(core):
    offences = []
    for module in core.modules:
        source = module.path.read_text(encoding="utf-8")
        offences += [f"{module.place}:{line}" for line in unexplained(source)]
    assert offences == []


@pytest.mark.parametrize(
    "line",
    [
        "def f(x: Any) -> None: ...",
        "def f(x: dict[str, Any]) -> None: ...",
        "def f(*xs: Any) -> None: ...",
        "def f() -> Any: ...",
        "def f(x: typing.Any) -> None: ...",
        "def f(x: t.Any) -> None: ...",
        "def f(x: Whatever) -> None: ...",
        "def f(x: Any) -> None: ...  # noqa: ARG001",
        "x: Any = 1",
        'x: dict[str, Any] = {}\n"""What it is."""',
        "Alias: TypeAlias = Any",
        "Alias = Callable[[Any], None]",
        "class A:\n    x: Any",
        "# whose it is\n\ndef f(x: Any) -> None: ...",
    ],
)
def test_reader_finds_any_without_a_word(line):
    imports = "import typing\nimport typing as t\nfrom typing import Any, Any as Whatever\n"
    source = f"{imports}{line}\n"
    (found,) = unexplained(source)
    text = source.splitlines()[found - 1]
    assert "Any" in text or "Whatever" in text


@pytest.mark.parametrize(
    "line",
    [
        "Alias: TypeAlias = Any  # whose it is",
        'Alias: TypeAlias = Any\n"""Whose it is."""',
        "# whose it is\nAlias: TypeAlias = Any",
        'Alias = Callable[\n    [Any, str],\n    None,\n]\n"""Whose it is."""',
        "Alias = Callable[  # whose it is\n    [Any, str],\n    None,\n]",
        "def f(x: Any) -> None: ...  # whose it is",
        "def f(x: Any) -> None: ...  # type: ignore[misc]  # whose it is",
        "def f(\n    x: int,\n    # whose it is\n    y: Any,\n) -> None: ...",
        "def f(x: object) -> None: ...",
        'def f(x: int) -> str:\n    """Any number."""\n    return "Any"',
        "def f(x: ours.Any) -> None: ...",
    ],
)
def test_reader_takes_any_that_is_explained(line):
    source = f"from typing import Any, TypeAlias\nimport ours\n{line}\n"
    assert unexplained(source) == []
