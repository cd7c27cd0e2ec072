"""Calls into code that is not ours: nothing that it does ends more than what it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from proctor.errors import one_line

Result = TypeVar("Result")


class LeftEarly(RuntimeError):
    """Code that is not ours called ``exit``, or left by another door than an exception.

    Passed on as it is, that would end the process, or a task that waits, without a word.
    """


def called(call: Callable[[], Result]) -> Result:
    """Calls something.

    Raises:
        LeftEarly: It raised what is no ``Exception``, such as ``SystemExit``.
    """
    try:
        return call()
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:
        raise left_early(error) from error


async def awaited(awaitable: Awaitable[Result]) -> Result:
    """Awaits something, in the task that asks.

    Raises:
        LeftEarly: It raised what is no ``Exception``, such as ``SystemExit``.
    """
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:
        raise left_early(error) from error


def shown(value: object) -> str:
    """A value of somebody else's as Python writes it, in 200 characters at most."""
    try:
        return f"{value!r:.200}"
    except (Exception, SystemExit):  # a __repr__ is code, too
        return f"(a {type(value).__name__} that can't be read)"


def left_early(error: BaseException) -> LeftEarly:
    """What code did that left by another door than an exception."""
    if isinstance(error, SystemExit):
        return LeftEarly(f"it called exit({error.code!r:.100})")
    return LeftEarly(f"it raised {one_line(error)}")
