"""Writes hooks.md from the hook specifications: ``python docs/generate_hooks.py``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

from proctor.plugins import hook_arguments, hookspecs

HEAD = """\
# The hooks of plugins

<!-- Written by docs/generate_hooks.py from the docstrings in proctor/plugins. -->
"""


def reference() -> str:
    """The text of hooks.md."""
    parts = [HEAD, _text(hookspecs)]
    for name, hook in vars(hookspecs).items():
        if name.startswith("proctor_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            parts += [f"## `{name}({arguments})`", _text(hook), _types(hook)]
    parts.append("## What they are given")
    for name, given in vars(hook_arguments).items():
        if getattr(given, "__module__", "") == hook_arguments.__name__:
            parts += [f"### `{name}`", _text(given).partition("\n\nAttributes:")[0]]
            parts.append("\n".join(_members(given)))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _types(hook: Callable[..., object]) -> str:
    """A hook's arguments and what it returns, with their types."""
    signature = inspect.signature(hook)
    types = [f"`{name}: {given.annotation}`" for name, given in signature.parameters.items()]
    returned = signature.return_annotation
    returns = "" if returned == "None" else f"; returns `{returned}`"
    return f"Types: {', '.join(types)}{returns}."


def _members(given: type) -> Iterator[str]:
    """A line for each attribute and method that hooks may use."""
    attributes = _text(given).partition("Attributes:\n")[2]
    # what goes on in a further line is indented more
    for line in attributes.replace("\n        ", " ").splitlines():
        name, _, said = line.strip().partition(": ")
        yield f"- `{name}`: {said}"
    for name, member in vars(given).items():
        if isinstance(member, property):
            yield f"- `{name}`: {_text(member)}"
        elif inspect.isfunction(member) and (name == "__call__" or not name.startswith("_")):
            yield f"- `{name}(...)`: {_text(member)}"


def _text(documented: object) -> str:
    return (inspect.getdoc(documented) or "").replace("``", "`")


if __name__ == "__main__":
    Path(__file__).with_name("hooks.md").write_text(reference(), encoding="utf-8")
