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
    too_much = {}
    for module in core.modules:
        for function in functions(module.tree):
            lines, parameters = lines_of(function), parameters_of(function)
            if lines > MOST_LINES or parameters > MOST_PARAMETERS:
                too_much[f"{module.place}:{function.lineno} {function.name}"] = lines, parameters
    assert too_much == {}


SAMPLE = """\
class A:
    async def f(self, a, /, b, *c, d, **e):
        "Says what it is for."

        return 1
"""


def test_sizes_are_told():
    (function,) = functions(ast.parse(SAMPLE))
    assert (lines_of(function), parameters_of(function)) == (4, 6)
