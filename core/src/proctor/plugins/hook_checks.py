"""Mistakes in a plugin's hooks, which pluggy would let pass or explain at length."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable

from proctor.errors import PluginError
from proctor.plugins import hookspecs


def check_hooks(module: object) -> None:
    """Refuses a module without hooks, and functions that look like hooks and are none.

    Raises:
        PluginError: A hook is misspelt, not marked or asks for an argument that it never gets, or
            there is none.
    """
    functions = {
        name: value
        for name, value in getattr(module, "__dict__", {}).items()
        if inspect.isfunction(value)
    }
    for name, function in functions.items():
        if not name.startswith("proctor_"):
            continue
        if name not in hook_names():
            raise unknown_hook(name)
        if not hasattr(function, "proctor_impl"):
            raise PluginError(f"{name!r} is not marked", fix="put @proctor.hookimpl on it")
        _check_arguments(name, function)
    if not any(hasattr(function, "proctor_impl") for function in functions.values()):
        raise PluginError(
            "it has no hook", fix="define proctor_register(registry), with @proctor.hookimpl"
        )


def _check_arguments(name: str, function: Callable[..., object]) -> None:
    there = inspect.signature(getattr(hookspecs, name)).parameters
    for argument in inspect.signature(function).parameters:
        if argument not in there:
            raise PluginError(
                f"{name!r} has no argument {argument!r}", fix=f"its arguments: {', '.join(there)}"
            )


def unknown_hook(name: str) -> PluginError:
    """The error for a hook that there is not."""
    known = hook_names()
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean {near[0]!r}?" if near else f"hooks: {', '.join(known)}"
    return PluginError(f"no hook is called {name!r}", fix=fix)


def hook_names() -> list[str]:
    """The names of all hooks."""
    return [name for name in vars(hookspecs) if name.startswith("proctor_")]
