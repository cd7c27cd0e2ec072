"""No function of the core is longer, or takes more, than a reader can hold in mind."""

from __future__ import annotations

import ast
from collections.abc import Iterator

MOST_LINES = 60
"""From ``def`` to the last line, the docstring included."""

MOST_PARAMETERS = 8
"""Of every kind, ``self`` included. A command line's options count, too: they go in a dataclass."""


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len(named) + (arguments.vararg is not None) + (arguments.kwarg is not None)


def test_functions_are_short_and_take_few_parameters(core):
    sizes = {
        f"{module.place}:{function.lineno} {function.name}": (
            lines_of(function),
            parameters_of(function),
        )
        for module in core.modules
        for function in functions(module.tree)
    }
    too_much = {
        name: (lines, parameters)
        for name, (lines, parameters) in sizes.items()
        if lines > MOST_LINES or parameters > MOST_PARAMETERS
    }
    assert too_much == {}


def test_sizes_are_told():
    source = "class A:\n async def f(self, a, /, b, *c, d, **e):\n  '''Doc.'''\n\n  return 1\n"
    (function,) = functions(ast.parse(source))
    assert (lines_of(function), parameters_of(function)) == (4, 6)
